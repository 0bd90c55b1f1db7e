"""One line for each event, for people or as JSON, without secrets."""

from __future__ import annotations

import ast
import datetime as dt
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from reports import logs
from reports.errors import ReportsError
from reports.model import Receipt, RunState

SEVEN = dt.datetime(2026, 11, 24, 7, tzinfo=dt.UTC)
SECRET = 'pä"ss\\wörd\nline'  # noqa: S105  in JSON it is written otherwise
_log = logging.getLogger("reports.runs")


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    logs.close()


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def mask(text: str) -> str:
    return text.replace(SECRET, "***").replace("12345", "***")


def say(what: str, /, *, grave: int = logging.INFO, **extra: Any) -> None:
    """An event of a run at seven."""
    record = _log.makeRecord(_log.name, grave, "file", 1, what, (), None, extra=extra)
    record.created = SEVEN.timestamp()
    _log.handle(record)


def failed(error: Exception, event: str = "run failed", **options: Any) -> None:
    """As it is logged where the error is caught."""
    try:
        raise error
    except type(error):
        _log.exception(event, **options)


def only(out: io.StringIO) -> dict[str, Any]:
    """The one line there is."""
    (line,) = out.getvalue().splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_json_has_when_how_grave_and_what_and_then_the_ids(out: io.StringIO) -> None:
    """Whatever order they were given in."""
    logs.configure("json", stream=out)
    say("run started", waited=0.5, run="ab12", job="cashflow")
    assert list(only(out).items()) == [
        ("at", "2026-11-24T07:00:00.000Z"),
        ("level", "info"),
        ("event", "run started"),
        ("job", "cashflow"),
        ("run", "ab12"),
        ("waited", 0.5),
    ]


def test_people_read_one_line(out: io.StringIO) -> None:
    """No colours where there is no terminal; what has blanks is in quotation marks; None is not shown."""
    logs.configure("console", stream=out)
    say("run started", run="ab12cd34", job="cashflow", occurrence=None, why='a = "b"', late=3)
    assert (
        out.getvalue() == '2026-11-24 07:00:00Z info  run started  job=cashflow run=ab12cd34 why="a = \\"b\\"" late=3\n'
    )


def test_an_event_without_extras_has_no_trailing_blanks(out: io.StringIO) -> None:
    """Lines can be compared."""
    logs.configure("console", stream=out)
    say("store back", grave=logging.WARNING)
    assert out.getvalue() == "2026-11-24 07:00:00Z warning store back\n"


@pytest.mark.parametrize("kind", ["console", "json"])
def test_what_breaks_lines_stays_in_its_line(out: io.StringIO, kind: Any) -> None:
    """Nor can a value command the terminal, or be a character that has no encoding."""
    logs.configure(kind, stream=out)
    say("run failed\nrun started", job="a\r\n\u2028\x85b", error="\x1b[2J\udc80", where=["x\ny", {"k\n": "v\n"}])
    (line,) = out.getvalue().splitlines()
    assert line.isprintable()
    assert line.encode()


def test_values_are_such_that_json_has_them(out: io.StringIO) -> None:
    """Instants in UTC, lengths of time in seconds, everything else in words."""
    logs.configure("json", stream=out)
    berlin = dt.datetime(2026, 11, 24, 8, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    say(
        "run started",
        occurrence=berlin,
        as_of=berlin.date(),
        late=dt.timedelta(minutes=1.5),
        path=Path("a") / "b",
        rate=float("nan"),
        ok=True,
        nothing=None,
        both=("a", berlin),
        params={"limit": 5},
    )
    told = only(out)
    assert told["occurrence"] == "2026-11-24T07:00:00Z"
    assert told["both"] == ["a", "2026-11-24T07:00:00Z"]
    assert (told["as_of"], told["late"], told["rate"]) == ("2026-11-24", 90, "nan")
    assert (told["ok"], told["nothing"], told["params"]) == (True, None, {"limit": 5})
    assert told["path"] == str(Path("a") / "b")


def test_an_extra_cannot_take_the_place_of_the_event(out: io.StringIO) -> None:
    """It is told beside it."""
    logs.configure("json", stream=out)
    say("run started", event="other", at="now")
    assert (only(out)["event"], only(out)["event_"], only(out)["at_"]) == ("run started", "other", "now")


@pytest.mark.parametrize("kind", ["console", "json"])
def test_no_secret_is_in_the_line(out: io.StringIO, kind: Any) -> None:
    """Wherever it is: in the event, an extra, deep within one, a number, an error; and JSON stays JSON."""
    logs.configure(kind, stream=out, mask=mask, level=logging.DEBUG)
    failed(ValueError(SECRET), f"with {SECRET}", extra={"a": SECRET, "b": [{"c": f"x{SECRET}", SECRET: 1}], "n": 12345})
    (line,) = out.getvalue().splitlines()
    assert "w\\u00f6rd" not in line
    assert "wörd" not in line
    assert "12345" not in line
    assert "***" in line
    if kind == "json":
        assert json.loads(line)["b"] == [{"c": "x***", "***": 1}]


def test_secrets_are_sought_once_for_a_line_that_has_none(out: io.StringIO) -> None:
    """For they may have to be fetched from a keyring."""
    asked: list[str] = []
    logs.configure("json", stream=out, mask=lambda text: asked.append(text) or text)  # type: ignore[func-returns-value]
    say("run started", job="cashflow", run="ab12", params={"a": 1, "b": ["c"]})
    assert len(asked) == 1
    assert only(out)["params"] == {"a": 1, "b": ["c"]}


def test_a_long_value_is_cut_after_its_secrets_are_out(out: io.StringIO) -> None:
    """Half a secret is one too."""
    logs.configure("json", stream=out, mask=mask)
    say("run failed", error="x" * (logs.MOST - 3) + SECRET + "y" * 1000)
    assert only(out)["error"] == "x" * (logs.MOST - 3) + "*** ... and 1,000 characters more"


def test_an_error_is_its_sentence(out: io.StringIO) -> None:
    """Of one of ours what happened, without the traceback."""
    logs.configure("json", stream=out)
    failed(ReportsError("the database is away", where="here", hint="wait"))
    assert only(out)["error"] == "the database is away"
    assert "traceback" not in only(out)


def test_an_error_that_was_told_already_is_told_as_it_was(out: io.StringIO) -> None:
    """The words of whoever logs it come first."""
    logs.configure("json", stream=out)
    _log.error("run failed", extra={"error": "in words"}, exc_info=ValueError("x"))
    assert only(out)["error"] == "in words"


def test_at_debug_there_is_the_traceback_and_still_one_line(out: io.StringIO) -> None:
    """For whoever looks for a fault."""
    logs.configure("json", stream=out, level=logging.DEBUG)
    failed(ValueError("odd"), stack_info=True)
    assert only(out)["error"] == "ValueError: odd"
    assert "test_logs.py" in only(out)["traceback"]
    assert "test_logs.py" in only(out)["stack"]


def test_debug_is_not_shown_unless_asked_for(out: io.StringIO) -> None:
    """Nor where there is no error is one told of."""
    logs.configure("json", stream=out)
    _log.debug("health asked")
    _log.error("run failed", exc_info=True)
    assert only(out)["event"] == "run failed"
    assert "error" not in only(out)


def test_of_others_only_warnings_are_shown_with_their_name(out: io.StringIO) -> None:
    """However talkative they were set, and ours are not mixed up with a library of a similar name."""
    logs.configure("json", stream=out)
    others = [logging.getLogger("apscheduler.scheduler"), logging.getLogger("reportslib")]
    for other in others:
        other.setLevel(logging.DEBUG)
        other.info("hello %s", "you")
    others[0].warning("was missed by %s", "0:00:01")
    assert (only(out)["event"], only(out)["logger"]) == ("was missed by 0:00:01", "apscheduler.scheduler")


def test_configured_twice_each_line_comes_once(out: io.StringIO) -> None:
    """The last word holds."""
    logs.configure("console", stream=io.StringIO())
    logs.configure("json", stream=out)
    logs.configure("json", stream=out)
    say("store back")
    assert only(out)["event"] == "store back"


def test_stderr_is_where_it_goes_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """Stdout is for what was asked for."""
    logs.configure("console")
    say("store back")
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "2026-11-24 07:00:00Z info  store back\n")


def test_a_handler_of_another_application_adds_nothing(out: io.StringIO) -> None:
    """The standard library's formatter leaves its own line on the record."""
    own = logging.StreamHandler(io.StringIO())
    own.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logging.getLogger().addHandler(own)
    try:
        logs.configure("json", stream=out)
        say("store back")
        assert list(only(out)) == ["at", "level", "event"]
    finally:
        logging.getLogger().removeHandler(own)


def test_what_others_have_set_stays(out: io.StringIO) -> None:
    """An application that has its own log keeps it."""
    own = logging.NullHandler()
    logging.getLogger().addHandler(own)
    try:
        logs.configure("json", stream=out)
        logs.close()
        assert own in logging.getLogger().handlers
        assert logging.getLogger("reports").level == logging.NOTSET
    finally:
        logging.getLogger().removeHandler(own)


# -- the file --------------------------------------------------------------------------------------


def test_the_file_has_the_same_lines(out: io.StringIO, tmp_path: Path) -> None:
    """Its folder is made; what was there before stays."""
    file = tmp_path / "logs" / "reports.log"
    for event in ("store away", "store back"):
        logs.configure("json", stream=out, file=file)
        say(event)
    logs.close()
    assert file.read_text("utf-8") == out.getvalue()
    assert len(out.getvalue().splitlines()) == 2


def test_the_file_is_closed_when_another_is_set(out: io.StringIO, tmp_path: Path) -> None:
    """Nothing is written to it any more, so it may be moved away."""
    logs.configure("json", stream=out, file=tmp_path / "one.log")
    logs.configure("json", stream=out, file=tmp_path / "two.log")
    say("store back")
    assert (tmp_path / "one.log").read_text("utf-8") == ""
    assert "store back" in (tmp_path / "two.log").read_text("utf-8")
    if Path("/proc/self/fd").exists():
        held = {os.path.realpath(one) for one in Path("/proc/self/fd").iterdir()}
        assert str(tmp_path / "one.log") not in held


def test_the_file_is_turned_over_and_the_oldest_goes(out: io.StringIO, tmp_path: Path) -> None:
    """A full one is moved aside whole, and not more than five are kept beside it."""
    file = tmp_path / "reports.log"
    for number in range(1, logs.FILES_KEPT + 1):
        (tmp_path / f"reports.log.{number}").write_text(f"{number}\n", "utf-8")
    file.write_bytes(b"x" * logs.FILE_SIZE)
    logs.configure("json", stream=out, file=file)
    say("store back")
    logs.close()
    assert file.read_text("utf-8") == out.getvalue()
    assert (tmp_path / "reports.log.1").stat().st_size == logs.FILE_SIZE
    assert (tmp_path / "reports.log.5").read_text("utf-8") == "4\n"
    assert len(list(tmp_path.iterdir())) == 1 + logs.FILES_KEPT


def test_a_file_that_cannot_be_written_is_told_and_the_log_stays_as_it_was(out: io.StringIO, tmp_path: Path) -> None:
    """With the path, and what to do."""
    logs.configure("json", stream=out)
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(ReportsError, match="cannot be written") as told:
        logs.configure("json", stream=out, file=tmp_path / "file" / "reports.log")
    assert "account that runs reports" in told.value.hint
    say("store back")
    assert only(out)["event"] == "store back"


def test_a_line_that_cannot_be_written_is_told_in_one_without_what_it_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reader that went away ends nothing."""
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", encoding="utf-8", buffering=1, closefd=False) as stream:
        logs.configure("json", stream=stream)
        say(f"with {SECRET}")
        logs.close()
        (line,) = capsys.readouterr().err.splitlines()
        os.dup2(os.open(tmp_path / "rest", os.O_CREAT | os.O_WRONLY), writing)  # so that what is left can be flushed
    os.close(writing)
    assert line.startswith("a log line of reports.runs could not be written: BrokenPipeError")


# -- colours ---------------------------------------------------------------------------------------

SCRIPT = """
import logging
from reports import logs
logs.configure({kind!r})
logging.getLogger("reports").error("run failed", extra={{"job": "cashflow"}})
"""


def on_a_terminal(kind: str, **environment: str) -> str:
    """What a person sees there."""
    pty = pytest.importorskip("pty", reason="terminals are otherwise there")
    seen, shown = pty.openpty()
    given = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm"} | environment
    try:
        subprocess.run([sys.executable, "-c", SCRIPT.format(kind=kind)], env=given, stderr=shown, check=True)
        return str(os.read(seen, 10_000).decode())
    finally:
        os.close(seen)
        os.close(shown)


def test_on_a_terminal_there_are_colours() -> None:
    """The grave ones are seen from afar."""
    line = on_a_terminal("console")
    assert "\x1b[31merror\x1b[0m run failed" in line
    assert "\x1b[2mjob=\x1b[0mcashflow" in line


@pytest.mark.parametrize(
    ("kind", "environment"), [("console", {"NO_COLOR": "1"}), ("console", {"TERM": "dumb"}), ("json", {})]
)
def test_who_wants_no_colours_has_none(kind: str, environment: dict[str, str]) -> None:
    """By NO_COLOR, by a terminal that knows none; and JSON has none anyway."""
    line = on_a_terminal(kind, **environment)
    assert "run failed" in line
    assert "\x1b" not in line


# -- the words -------------------------------------------------------------------------------------


def said(tree: ast.AST) -> Iterator[str]:
    """The events that a module logs, where they stand there in full."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and ast.unparse(node.func.value) == "_log"
            and any(word.arg == "extra" for word in node.keywords)
            and isinstance(node.args[0], ast.Constant)
        ):
            yield str(node.args[0].value)


def test_every_event_is_in_the_table(root: Path) -> None:
    """Whoever reads the log by machine finds there what to expect."""
    events = {event for path in (root / "reports").rglob("*.py") for event in said(ast.parse(path.read_text("utf-8")))}
    assert "ping failed" in events
    assert events - set(logs.EVENTS) == set()


def test_every_state_has_its_event() -> None:
    """One line for each transition."""
    runs = {f"run {state}" for state in get_args(RunState) if state != "running"}
    receipts = get_args(get_type_hints(Receipt)["state"])
    assert runs - set(logs.EVENTS) == set()
    assert {f"delivery {state}" for state in (*receipts, "expired")} - set(logs.EVENTS) == set()
