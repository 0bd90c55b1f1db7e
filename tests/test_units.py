"""Units for each platform: right for odd paths, hardened, and put to work by the platform's own commands."""

from __future__ import annotations

import hashlib
import json
import os
import plistlib
import pwd
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path, PurePath, PureWindowsPath
from xml.etree import ElementTree as ET

import pytest

from reports import units
from reports.errors import ReportsError
from reports.settings import Settings
from reports.units.access import Access, access_of
from reports.units.windows import NAMESPACE, quoted

ME = pwd.getpwuid(os.getuid()).pw_name
ODD = [
    "plain",
    "with space",
    "100% of %h",
    'it\'s "quoted"',
    "Bücher – 日報",
    "a&b<c>",
    "$HOME ${X}",
    "back\\slash",
    "[a]*?",
    "#;",
]
ANALYZE = shutil.which("systemd-analyze")


SRV = PurePath("/srv/reports")


def site(project: PurePath = SRV, **changes: object) -> units.Site:
    standard = units.Site(
        name="reports-it", project=project, program=Path(sys.executable), account=ME,
        writable=(project / "var",), reads=(project,), grace=60, health="127.0.0.1:8710",
    )  # fmt: skip
    return replace(standard, **changes)


@dataclass
class Platform:
    """A platform's commands as a list of those that were run, with answers for some of them."""

    answers: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def run(self, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        line = " ".join(argv)
        self.ran.append(line)
        found = next((answer for part, answer in self.answers.items() if part in line), (0, "", ""))
        return subprocess.CompletedProcess(list(argv), *found)

    @property
    def asker(self) -> units.Asker:
        return units.Asker(tell=self.told.append, run=self.run, pause=self.waited.append)


def here(unit: units.Unit) -> units.Unit:
    """The unit on a machine that has its platform."""
    return replace(unit, program=sys.executable, needs=None)


def systemd(tmp_path: Path, project: Path, **options: bool) -> tuple[units.Unit, units.Site]:
    at = site(project)
    return here(units.systemd_unit(at, folder=tmp_path / "units", **options)), at


# -- a strict reader of systemd's format ----------------------------------------------------------------


def entries(text: str) -> dict[str, list[str]]:
    """Each key's values with specifiers resolved; an error for a line that is none, or for a lone %."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if not line or line.startswith("#") or re.fullmatch(r"\[(Unit|Service|Install)\]", line):
            continue
        key, equals, value = line.partition("=")
        assert equals, line
        assert re.fullmatch(r"[A-Z]\w+", key), line
        assert not re.search(r"%", value.replace("%%", "")), line
        assert not value.endswith("\\"), line
        found.setdefault(key, []).append(value.replace("%%", "%"))
    return found


def items(value: str) -> list[str]:
    """The quoted items of a list."""
    assert re.fullmatch(r'("(\\.|[^"\\])*"( |$))*', value), value
    return [re.sub(r"\\(.)", r"\1", item) for item in re.findall(r'"((?:\\.|[^"\\])*)"', value)]


@pytest.mark.parametrize("name", ODD)
def test_systemd_gets_every_path_as_it_is(name: str) -> None:
    """Blanks, %, $, quotes, backslashes and other scripts, in the folder and in the program's place."""
    at = site(PurePath("/srv") / name, program=PurePath("/opt") / name / "reports")
    read = entries(units.systemd_unit(at).text)
    program, *rest = items(read["ExecStart"][0])
    line = (program, *(one.replace("$$", "$") for one in rest))
    assert line[3 if program == "/bin/sh" else 0 :] == at.command
    assert all("$" not in one.replace("$$", "") for one in rest)
    assert read["WorkingDirectory"] == [str(at.project)]
    assert items(read["ReadWritePaths"][0]) == [str(at.data_folder)]
    assert [items(value)[0] for value in read["Environment"]] == [f"{k}={v}" for k, v in at.variables.items()]
    assert re.sub(r"\\(.)", r"\1", read["EnvironmentFile"][0]) == f"-{at.project}/.env"


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not on this machine")
@pytest.mark.parametrize("user", [False, True])
@pytest.mark.parametrize("name", ODD)
def test_systemd_itself_reads_the_unit_as_meant(tmp_path: Path, name: str, *, user: bool) -> None:
    """No complaint, and the values its own parser made of the file are ours."""
    project = tmp_path / name
    at = site(project, program=project / "reports")
    at.project.mkdir()  # type: ignore[attr-defined]
    Path(at.program).write_text("#!/bin/sh\n")
    Path(at.program).chmod(0o755)
    unit = units.systemd_unit(at, user=user, folder=tmp_path)
    Path(unit.path).write_bytes(unit.content)
    command = [str(ANALYZE), "verify", *(["--user"] if user else []), str(unit.path)]
    environment = {"XDG_RUNTIME_DIR": str(tmp_path), "PATH": os.environ["PATH"]}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (said.returncode, re.findall(rf"{unit.name}:.*", said.stderr)) == (0, [])
    read = subprocess.run(
        command, env={**environment, "SYSTEMD_LOG_LEVEL": "debug"}, capture_output=True, text=True, check=True
    ).stdout
    assert f"\tDescription: Scheduled reports of {project}\n" in read
    assert f"\tWorkingDirectory: {project}\n" in read
    assert f"\tEnvironment: MPLCONFIGDIR={project}/var/matplotlib\n" in read
    assert user or f"\tReadWritePaths: {project}/var\n" in read


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not on this machine")
def test_systemd_rates_the_unit_as_little_exposed(tmp_path: Path) -> None:
    """At most 2.5 of 10 by its own measure, 10 being a service without any protection."""
    unit = units.systemd_unit(site(account="reports"), folder=tmp_path)
    Path(unit.path).write_bytes(unit.content)
    rated = [str(ANALYZE), "security", "--offline=yes", "--no-pager", "--threshold=25", str(unit.path)]
    said = subprocess.run(rated, capture_output=True, text=True, check=False)
    if "unrecognized option" in said.stderr:
        pytest.skip("this systemd rates no files")
    assert said.returncode == 0, said.stdout[-200:] + said.stderr


def test_a_service_of_the_system_is_hardened_and_comes_back() -> None:
    """What keeps it alive, what it may not do, and time to stop that is longer than it takes."""
    read = entries(units.systemd_unit(site()).text)
    wanted = {
        "Type": "notify", "WatchdogSec": "60", "Restart": "on-failure", "RestartSec": "5", "TimeoutStopSec": "60",
        "KillMode": "mixed", "OOMPolicy": "continue", "NoNewPrivileges": "yes", "ProtectSystem": "strict",
        "PrivateTmp": "yes", "PrivateDevices": "yes", "ProtectHome": "yes", "CapabilityBoundingSet": "",
        "SystemCallFilter": "@system-service", "UMask": "0077", "User": ME, "WantedBy": "multi-user.target",
        "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6", "After": "network-online.target",
    }  # fmt: skip
    assert {key: read.get(key) for key in wanted} == {key: [value] for key, value in wanted.items()}


def test_a_service_of_an_account_asks_for_nothing_its_systemd_cannot_give() -> None:
    """No mounts, no capabilities, no other account, no network target: each of them would keep it from starting."""
    read = entries(units.systemd_unit(site(), user=True).text)
    privileged = r"Protect\w+|Private\w+|\w*Capabilit\w+|ReadWritePaths|User|After|Wants"
    assert [key for key in read if re.fullmatch(privileged, key)] == []
    assert (read["NoNewPrivileges"], read["WantedBy"]) == (["yes"], ["default.target"])


@pytest.mark.parametrize(
    ("project", "reads", "home"),
    [
        ("/srv/reports", (), "yes"),
        ("/home/ann/reports", (), "read-only"),
        ("/root/reports", (), "read-only"),
        ("/srv/reports", ("/home/ann/export.csv",), "read-only"),
        ("/srv/reports", ("/homes/x",), "yes"),
    ],
)
def test_homes_are_hidden_unless_something_needed_is_there(project: str, reads: tuple[str, ...], home: str) -> None:
    """A project, a Python or a source below /home stays readable, and only then is any home."""
    at = site(PurePath(project), reads=(PurePath(project), *map(PurePath, reads)))
    assert entries(units.systemd_unit(at).text)["ProtectHome"] == [home]


def test_a_link_into_a_home_is_seen(tmp_path: Path) -> None:
    """What counts is where a path leads."""
    (tmp_path / "link").symlink_to("/home")
    at = site(reads=(tmp_path / "link" / "ann",))
    assert entries(units.systemd_unit(at).text)["ProtectHome"] == ["read-only"]


def test_a_project_among_shared_temporary_files_keeps_seeing_them() -> None:
    """A private /tmp would hide the project from its own service."""
    at = site(PurePath("/tmp/demo"))  # noqa: S108  nothing is there
    assert entries(units.systemd_unit(at).text)["PrivateTmp"] == ["no"]


# -- launchd and Windows --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ODD)
def test_launchd_gets_every_path_as_it_is(name: str) -> None:
    """The list is read back by Python's own reader of property lists."""
    at = site(PurePath("/Users/ann") / name)
    unit = units.launchd_unit(at, user=True, library=PurePath("/Users/ann/Library"), uid=501)
    read = plistlib.loads(unit.content)
    assert tuple(read["ProgramArguments"]) == at.command
    assert (read["WorkingDirectory"], read["EnvironmentVariables"]) == (str(at.project), at.variables)
    assert unit.mark in unit.text


def test_a_launch_agent_comes_back_after_a_failure_alone() -> None:
    """It restarts when it failed, has time to stop, and logs where macOS keeps logs."""
    unit = units.launchd_unit(site(grace=75), user=True, library=PurePath("/Users/ann/Library"), uid=501)
    read = plistlib.loads(unit.content)
    assert str(unit.path) == "/Users/ann/Library/LaunchAgents/reports-it.plist"
    assert read["KeepAlive"] == {"SuccessfulExit": False}
    assert (read["RunAtLoad"], read["ExitTimeOut"], read["ThrottleInterval"]) == (True, 75, 10)
    assert read["StandardErrorPath"] == "/Users/ann/Library/Logs/reports-it.log"
    assert "UserName" not in read
    assert [" ".join(step.argv) for step in unit.begin][-1] == f"launchctl bootstrap gui/501 {unit.path}"


def test_a_launch_daemon_runs_as_its_account_and_logs_where_that_may_write() -> None:
    """Of the machine, not of whoever is logged in."""
    unit = units.launchd_unit(site(account="ann"))
    read = plistlib.loads(unit.content)
    assert str(unit.path) == "/Library/LaunchDaemons/reports-it.plist"
    assert (read["UserName"], read["StandardErrorPath"]) == ("ann", "/srv/reports/var/service.log")
    assert "system/reports-it" in unit.ask


WINDOWS = PureWindowsPath(r"C:\Users\Jörg Müller\A & B <x>'s")


def windows_site(project: PureWindowsPath = WINDOWS) -> units.Site:
    program = PureWindowsPath(r"C:\Program Files\reports\Scripts\reports.exe")
    return site(project, program=program, account=r"ACME\jörg")


def elements(unit: units.Unit) -> dict[str, str]:
    """The texts of the scheduled task by their path, read from the bytes as they are written."""
    root = ET.fromstring(unit.content)  # noqa: S314  ours
    found: dict[str, str] = {}

    def walk(element: ET.Element, at: str) -> None:
        for child in element:
            path = f"{at}/{child.tag.removeprefix(f'{{{NAMESPACE}}}')}".lstrip("/")
            found[path] = (child.text or "").strip()
            walk(child, path)

    walk(root, "")
    return found


def test_a_scheduled_task_has_every_path_as_it_is() -> None:
    """In UTF-16, as schtasks reads it, with arguments quoted as Windows takes them apart."""
    unit = units.windows_unit(windows_site())
    read = elements(unit)
    assert unit.content.startswith(b"\xff\xfe<\0?\0")
    assert read["Actions/Exec/Command"] == r"C:\Program Files\reports\Scripts\reports.exe"
    assert read["Actions/Exec/WorkingDirectory"] == str(WINDOWS)
    assert read["Actions/Exec/Arguments"] == f'--project "{WINDOWS}" serve --log-file "{WINDOWS}\\var\\service.log"'
    assert read["Principals/Principal/UserId"] == r"ACME\jörg"
    assert unit.mark in unit.text


def test_a_scheduled_task_starts_with_the_machine_and_is_looked_after() -> None:
    """Each minute what is not running is started, once; no time limit, no battery or idle condition stops it."""
    read = elements(units.windows_unit(windows_site()))
    assert read["Triggers/BootTrigger/Enabled"] == "true"
    assert read["Triggers/TimeTrigger/Repetition/Interval"] == "PT1M"
    settings = {key.removeprefix("Settings/"): text for key, text in read.items() if key.startswith("Settings/")}
    assert settings["MultipleInstancesPolicy"] == "IgnoreNew"
    assert settings["ExecutionTimeLimit"] == "PT0S"
    assert settings["RestartOnFailure/Interval"] == "PT1M"
    conditions = ("DisallowStartIfOnBatteries", "StopIfGoingOnBatteries", "RunOnlyIfIdle", "RunOnlyIfNetworkAvailable")
    assert {settings[key] for key in conditions} == {"false"}


def test_the_commands_for_windows_work_as_printed() -> None:
    """Quoted for the Command Prompt."""
    unit = units.windows_unit(windows_site())
    assert [unit.quote(step.argv) for step in unit.begin] == [
        "schtasks /End /TN reports-it",
        rf'schtasks /Create /TN reports-it /XML "{WINDOWS}\var\reports-it.xml" /F',
        "schtasks /Run /TN reports-it",
    ]
    assert quoted(["a", "b&c", r"C:\x\y"]) == r'a "b&c" C:\x\y'


@pytest.mark.parametrize("name", ["%TEMP%", "a$(x)"])
def test_a_path_that_windows_would_change_is_refused(name: str) -> None:
    """The Task Scheduler replaces variables and knows no way to say that it shall not."""
    with pytest.raises(ReportsError, match="for a variable"):
        units.windows_unit(windows_site(PureWindowsPath("C:/") / name))


# -- containers -----------------------------------------------------------------------------------------


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile, with continued lines joined."""
    lines = [line for line in text.replace("\\\n", "").splitlines() if line and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines]


@pytest.mark.parametrize("source", [False, True])
def test_the_image_serves_as_somebody_else_than_root(*, source: bool) -> None:
    """Installed from an index or from source, no secret and no package host in it."""
    text = units.dockerfile(site(), data="var", source=source, uid=1000)
    found = dict(instructions(text))
    assert instructions(text)[0] == ("FROM", "python:3.13-slim")
    assert (found["USER"], found["WORKDIR"]) == ("reports", "/project")
    assert [*json.loads(found["ENTRYPOINT"]), *json.loads(found["CMD"])] == [
        "reports",
        "--project",
        "/project",
        "serve",
    ]
    assert ("COPY" in found) is source
    assert ('ARG REPORTS="reports[all]"' in text) is not source
    assert re.findall(r"https?://[^/]*", text) == ["http://127.0.0.1:8710"]


class Health(BaseHTTPRequestHandler):
    """Answers with the status its server has."""

    def do_GET(self) -> None:
        self.send_response(self.server.status if self.path == "/healthz" else 404)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def health() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "well"), [(200, True), (503, False)])
def test_the_image_is_well_when_the_service_is(health: HTTPServer, status: int, *, well: bool) -> None:
    """The health check as written, asked of a real server, and not through a proxy."""
    health.status = status  # type: ignore[attr-defined]
    text = units.dockerfile(site(health=f"0.0.0.0:{health.server_port}"), data="var")
    check = json.loads(dict(instructions(text))["HEALTHCHECK"].partition("CMD ")[2])
    environment = {**os.environ, "http_proxy": "http://127.0.0.1:9"}
    asked = subprocess.run([sys.executable, *check[1:]], env=environment, capture_output=True, check=False)
    assert (asked.returncode == 0) is well


def test_a_service_without_health_has_no_check() -> None:
    """`health = ""` means that nobody listens."""
    assert ("HEALTHCHECK", "NONE") in instructions(units.dockerfile(site(health=""), data="var"))


@pytest.mark.parametrize(
    ("data", "inside"),
    [("var", "/project/var"), ("./state/x", "/project/state/x"), ("../data", "/data"), ("/srv/d", "/srv/d")],
)
def test_the_volume_lies_where_the_settings_say(data: str, inside: str) -> None:
    """The data folder is the one writable place, whatever it is called."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    read = yaml.safe_load(units.compose(site(), data=data))["services"]["reports"]
    project, volume = read["volumes"]
    assert (project["target"], project["read_only"]) == ("/project", True)
    assert (volume["source"], volume["target"]) == ("data", inside)
    assert f"--home-dir {inside} " in units.dockerfile(site(), data=data)


def test_a_drive_is_no_place_in_a_container() -> None:
    """It is said before anything is built."""
    with pytest.raises(ReportsError, match="no drives"):
        units.compose(site(), data="D:\\reports")


def test_compose_keeps_the_service_running_and_small() -> None:
    """Restarted, stopped in time, without rights, secrets from a file, PostgreSQL only where asked for."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    read = yaml.safe_load(units.compose(site(grace=90), data="var", source=PurePath('/src/a "b" $x'), uid=1000))
    ours, postgres = read["services"]["reports"], read["services"]["postgres"]
    assert (ours["init"], ours["restart"], ours["stop_grace_period"]) == (True, "unless-stopped", "90s")
    assert (ours["read_only"], ours["cap_drop"]) == (True, ["ALL"])
    assert ours["env_file"] == [{"path": ".env", "required": False}]
    assert ours["build"]["additional_contexts"] == {"source": '/src/a "b" $$x'}
    assert postgres["profiles"] == ["postgres"]
    assert {"data", "postgres"} <= set(read["volumes"])


def test_compose_is_named_as_compose_allows() -> None:
    """Lower case, digits, - and _."""
    text = units.compose(site(name="reports-Acme.EU"), data="var")
    assert re.search(r'^name: "[a-z0-9][a-z0-9_-]*"$', text, re.MULTILINE)


# -- a site ---------------------------------------------------------------------------------------------


def settings(root: Path, **given: object) -> Settings:
    return Settings.model_validate(given, context={"root": root})


@pytest.mark.parametrize(
    ("folder", "name"),
    [("reports", "reports-reports"), ("Täglich & 100%", "reports-Taglich-100"), (".x y.", "reports-x-y"),
     ("Straße", "reports-Strasse"), ("日報", f"reports-{hashlib.sha256('日報'.encode()).hexdigest()[:8]}")],
)  # fmt: skip
def test_a_service_is_named_after_its_folder(tmp_path: Path, folder: str, name: str) -> None:
    """In signs that every platform takes."""
    assert units.site_of(settings(tmp_path / folder), account=ME).name == name


def test_a_name_is_given_or_refused(tmp_path: Path) -> None:
    """One that no platform takes is a mistake to be told."""
    assert units.site_of(settings(tmp_path), account=ME, name="eu.1").name == "reports-eu.1"
    with pytest.raises(ReportsError, match="cannot name a service"):
        units.site_of(settings(tmp_path), account=ME, name="a b")


@pytest.mark.parametrize("folder", ["two\nlines", "blank ", "back\\", "bell\a"])
def test_a_path_that_fits_no_unit_is_refused(tmp_path: Path, folder: str) -> None:
    """Rather than a unit that means something else."""
    with pytest.raises(ReportsError, match="cannot be written in a unit"):
        units.site_of(settings(tmp_path / "x" / folder), account=ME)


def test_a_site_knows_where_the_service_writes_and_reads(tmp_path: Path) -> None:
    """The data folder, a store and artifacts elsewhere; and where the sources lie."""
    given = settings(
        tmp_path, data="state", service={"stop_timeout": "45s"},
        store={"url": f"sqlite:///{tmp_path}/db/reports.db", "artifacts": "../files"},
        sources={"a": {"files": "/home/ann/in/*.csv"}, "b": {"url": "postgresql://h/x"}},
    )  # fmt: skip
    at = units.site_of(given, account=ME)
    assert at.writable == (tmp_path / "state", tmp_path / "db", tmp_path.parent / "files")
    assert Path("/home/ann/in") in at.reads
    assert at.grace > 45
    assert Path(at.program).is_file()
    assert at.command[1:] == ("--project", str(tmp_path), "serve")


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///:memory:", "postgresql://db/reports", {"env": "URL"}])
def test_a_store_elsewhere_opens_no_folder(tmp_path: Path, url: object) -> None:
    """Only what is a file is made writable."""
    assert units.site_of(settings(tmp_path, store={"url": url}), account=ME).writable == (tmp_path / "var",)


def test_root_runs_it_only_if_that_is_asked_for() -> None:
    """The folder of root is no reason to be root."""
    with pytest.raises(ReportsError, match="would run as root") as caught:
        units.account_of(Path("/"))
    assert "--account NAME" in caught.value.hint
    assert units.account_of(Path("/"), wanted="root") == "root"
    assert units.account_of(Path("/"), wanted="daemon") == "daemon"


def test_a_service_of_ones_own_is_nobody_elses() -> None:
    """--user together with another account means two things."""
    assert units.account_of(Path("/"), wanted=ME, own=True) == ME
    with pytest.raises(ReportsError, match=f"a service of {ME}"):
        units.account_of(Path("/"), wanted="somebody", own=True)


# -- at work --------------------------------------------------------------------------------------------


def test_installing_writes_the_unit_and_runs_the_platforms_commands(tmp_path: Path) -> None:
    """Each command is told before it runs; the folder it may write to is there."""
    unit, at = systemd(tmp_path, tmp_path / "project")
    platform = Platform()
    units.install(unit, at, platform.asker)
    assert Path(unit.path).read_text("utf-8") == unit.text
    assert platform.ran == [
        f"systemctl {verb}" for verb in ("daemon-reload", f"enable {unit.name}", f"restart {unit.name}")
    ]
    assert [line for line in platform.told if line.startswith("$")] == [f"$ {line}" for line in platform.ran]
    assert (tmp_path / "project" / "var").is_dir()
    assert [path.name for path in (tmp_path / "units").iterdir()] == [unit.name]


def test_installing_again_brings_it_up_to_date(tmp_path: Path) -> None:
    """The same service with other words in it, started anew."""
    unit, at = systemd(tmp_path, tmp_path / "project")
    platform = Platform()
    units.install(unit, at, platform.asker)
    newer = here(units.systemd_unit(replace(at, grace=99), folder=tmp_path / "units"))
    units.install(newer, at, platform.asker)
    assert "TimeoutStopSec=99" in Path(unit.path).read_text("utf-8")
    assert platform.ran[:3] == platform.ran[3:]


@pytest.mark.parametrize("other", ["other", "project2", "proj"])
def test_a_service_of_another_project_is_left_alone(tmp_path: Path, other: str) -> None:
    """Two folders of one name: the second one is told to find another name, and nothing is run."""
    first, at = systemd(tmp_path, tmp_path / "project")
    units.install(first, at, Platform().asker)
    second, another = systemd(tmp_path, tmp_path / other)
    platform = Platform()
    for attempt in (
        lambda: units.install(second, another, platform.asker),
        lambda: units.uninstall(second, platform.asker),
    ):
        with pytest.raises(ReportsError, match="for another project") as caught:
            attempt()
        assert "--name NAME" in caught.value.hint
    assert Path(first.path).read_text("utf-8") == first.text
    assert platform.ran == []


def test_windows_is_asked_whose_the_task_is() -> None:
    """It keeps a copy of its own, which it prints in a code page that has lost the umlauts."""
    unit = here(units.windows_unit(windows_site()))
    printed = unit.text.encode("cp437", "replace").decode("cp1252", "replace")
    assert units.installed(unit, Platform({"/XML": (0, printed, "")}).run)
    assert not units.installed(unit, Platform({"/XML": (1, "", "ERROR: The system cannot find the file")}).run)
    with pytest.raises(ReportsError, match="for another project"):
        units.uninstall(unit, Platform({"/XML": (0, printed.replace("C:", "D:"), "")}).asker)


def test_a_command_that_fails_is_told_with_what_to_do(tmp_path: Path) -> None:
    """In the platform's own words; what comes after it is not run."""
    unit, at = systemd(tmp_path, tmp_path / "project")
    platform = Platform({"enable": (1, "", "Failed to enable unit: denied\n")})
    with pytest.raises(ReportsError, match=r"systemctl enable .*: Failed to enable unit: denied"):
        units.install(unit, at, platform.asker)
    assert not any("restart" in line for line in platform.ran)
    with pytest.raises(ReportsError) as caught:
        units.install(unit, at, Platform({"restart": (1, "", "")}).asker)
    assert "journalctl -u reports-it.service" in caught.value.hint


def test_a_command_that_may_fail_is_told_too(tmp_path: Path) -> None:
    """Without lingering a service of one's own works until one logs out, which one should know."""
    unit, at = systemd(tmp_path, tmp_path / "project", user=True)
    platform = Platform({"enable-linger": (1, "", "Access denied")})
    units.install(unit, at, platform.asker)
    assert platform.told[-1].startswith("  Access denied (without it")


def test_an_older_agent_may_take_its_time_to_end(tmp_path: Path) -> None:
    """While it does, launchd refuses the new one; that is tried again, for as long as it may take and no longer."""
    at = site(tmp_path, grace=5)
    unit = here(units.launchd_unit(at, user=True, library=tmp_path / "Library", uid=501))
    platform = Platform({"bootstrap": (5, "", "Bootstrap failed: 5: Input/output error")})
    with pytest.raises(ReportsError, match="Bootstrap failed"):
        units.install(unit, at, platform.asker)
    assert sum("bootstrap" in line for line in platform.ran) == 5
    assert platform.waited == [1, 1, 1, 1]


def test_uninstalling_takes_the_unit_and_leaves_the_project(tmp_path: Path) -> None:
    """Stopped first, then removed, then forgotten by the platform; a second time there is nothing to do."""
    unit, at = systemd(tmp_path, tmp_path / "project")
    units.install(unit, at, Platform().asker)
    kept = tmp_path / "project" / "var" / "reports.db"
    kept.write_text("history")
    platform = Platform()
    assert units.uninstall(unit, platform.asker)
    assert platform.ran[:2] == [f"systemctl disable --now {unit.name}", "systemctl daemon-reload"]
    assert not Path(unit.path).exists()
    assert kept.read_text() == "history"
    assert not units.uninstall(unit, platform.asker)


def test_where_the_platform_is_not_nothing_is_written(tmp_path: Path) -> None:
    """A container has no systemd; what to do there is said."""
    at = site(tmp_path / "project")
    unit = units.systemd_unit(at, folder=tmp_path / "units", booted=tmp_path / "no systemd")
    with pytest.raises(ReportsError, match="systemd does not run on this machine") as caught:
        units.install(unit, at, Platform().asker)
    assert "reports service print docker" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_one_may_not_write_is_told(tmp_path: Path) -> None:
    """With the two ways out."""
    (tmp_path / "units").mkdir(mode=0o500)
    unit, at = systemd(tmp_path, tmp_path / "project")
    with pytest.raises(ReportsError, match="permission denied") as caught:
        units.install(unit, at, Platform().asker)
    assert "--user" in caught.value.hint


@pytest.mark.parametrize(
    ("unit", "said", "state"),
    [
        (units.systemd_unit(site()), "active\n", "active"),
        (units.systemd_unit(site()), "failed\n", "failed"),
        (units.systemd_unit(site()), "", "inactive"),
        (
            units.launchd_unit(site(), user=True, uid=1),
            "gui/1/reports-it = {\n\tactive count = 1\n\tstate = running\n",
            "running",
        ),
        (
            units.windows_unit(windows_site()),
            '"\\reports-it","N/A","Läuft"\n"\\reports-it","24.11.2026","Läuft"\n',
            "Läuft",
        ),
    ],
)
def test_the_state_is_the_platforms_own_word(unit: units.Unit, said: str, state: str) -> None:
    """Whatever language it speaks."""
    assert units.state(unit, Platform({" ".join(unit.ask): (0, said, "")}).run) == state


def test_a_command_that_is_not_there_is_an_outcome() -> None:
    """As a shell has it."""
    outcome = units.run(["reports-has-no-such-command"])
    assert (outcome.returncode, outcome.stderr) == (127, "reports-has-no-such-command is not on this machine")
    assert units.run([sys.executable, "-c", "print('ü')"]).stdout == "ü\n"


def test_what_would_be_done_is_shown(tmp_path: Path) -> None:
    """The file with its place, then the commands; nothing is done."""
    unit, _ = systemd(tmp_path, tmp_path / "project", user=True)
    lines = "\n".join(units.shown(unit)).splitlines()
    assert lines[0] == f"would write {unit.path}:"
    assert lines[-3:] == [
        f"systemctl --user enable {unit.name}",
        f"systemctl --user restart {unit.name}",
        "loginctl enable-linger    (may fail)",
    ]
    assert list(tmp_path.iterdir()) == []


def test_an_account_that_cannot_get_there_is_told(tmp_path: Path) -> None:
    """By the modes of the folders on the way, the first closed one is named; root goes anywhere."""
    place = tmp_path / "closed" / "venv" / "reports"
    place.parent.mkdir(parents=True)
    (tmp_path / "closed" / "var").mkdir()
    (tmp_path / "closed").chmod(0o700)
    stranger = Access("stranger", os.getuid() + 4711)
    opened = [folder for folder in reversed(place.parents) if folder.stat().st_mode & 0o1 == 0]
    assert stranger.barred(place) == opened[0]
    assert Access("root").barred(place) is None
    notes = list(stranger.prepare(site(tmp_path / "closed", program=place)))
    assert [f"stranger may not enter {opened[0]}" in note for note in notes].count(True) == 2
    assert any("chown -R stranger" in note for note in notes)


def test_an_account_that_is_not_there_is_told() -> None:
    """With the command that makes it."""
    with pytest.raises(ReportsError, match="no account 'reports-nobody'") as caught:
        access_of("reports-nobody")
    assert "useradd" in caught.value.hint
    assert access_of(ME).uid == os.getuid()
