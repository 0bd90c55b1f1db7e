"""A unit put to work, taken away, or asked how it is, by the platform's own commands."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from reports.errors import ReportsError
from reports.units.access import access_of
from reports.units.site import Site
from reports.units.unit import Run, Step, Unit, run


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Runs the platform's commands and tells each of them; `pause` waits for a number of seconds."""

    tell: Callable[[str], None]
    run: Run = run
    pause: Callable[[float], None] = time.sleep

    def all(self, steps: tuple[Step, ...], unit: Unit) -> None:
        """Each step in turn; a ReportsError with the platform's words where one fails that must not."""
        for step in steps:
            self._one(step, unit)

    def _one(self, step: Step, unit: Unit) -> None:
        line = unit.quote(step.argv)
        self.tell(f"$ {line}")
        said = self._said(step)
        if said and not step.optional:
            raise ReportsError(f"this failed: {line}: {said}", where=str(unit.path), hint=step.hint)
        if said:
            self.tell(f"  {said}{f' ({step.hint})' if step.hint else ''}")

    def _said(self, step: Step) -> str:
        """Why the step failed, or nothing."""
        outcome = self.run(step.argv)
        for _ in range(step.tries - 1):
            if outcome.returncode == 0:
                break
            self.pause(1)
            outcome = self.run(step.argv)
        words = outcome.stderr.strip() or outcome.stdout.strip() or f"exit {outcome.returncode}"
        return "; ".join(words.splitlines()) if outcome.returncode else ""


def install(unit: Unit, site: Site, asker: Asker) -> None:
    """Write the unit and put it to work; one that is there already is brought up to date and started anew."""
    _there(unit)
    _ours(unit, asker.run)
    account = access_of(site.account)
    _write(unit)
    asker.tell(f"wrote {unit.path}")
    for note in account.prepare(site):
        asker.tell(f"warning: {note}")
    asker.all(unit.begin, unit)


def uninstall(unit: Unit, asker: Asker) -> bool:
    """Stop the service and take its unit away; False where there was none. Project and data stay."""
    if not installed(unit, asker.run):
        return False
    _there(unit)
    _ours(unit, asker.run)
    asker.all(unit.end, unit)
    _unlink(unit)
    asker.all(unit.after, unit)
    return True


def shown(unit: Unit) -> Iterator[str]:
    """What `install` would write and run."""
    yield f"would write {unit.path}:\n"
    yield unit.text
    yield "would run:\n"
    yield from (f"{unit.quote(step.argv)}{'    (may fail)' if step.optional else ''}" for step in unit.begin)


def installed(unit: Unit, run: Run) -> bool:
    """Whether there is a unit of that name."""
    return _kept(unit, run) is not None


def state(unit: Unit, run: Run) -> str:
    """The platform's own word for how the service is, `inactive` where it has none."""
    found = re.search(unit.answer, run(unit.ask).stdout)
    return found.group(1) if found else "inactive"


def _kept(unit: Unit, run: Run) -> bool | None:
    """Whether the installed unit is of this project; None where none is installed."""
    if unit.copy:
        outcome = run(unit.copy)
        return None if outcome.returncode else _ascii(unit.mark) in _ascii(outcome.stdout)
    path = Path(unit.path)
    return unit.mark in path.read_text(unit.encoding, "replace") if path.is_file() else None


def _ascii(text: str) -> str:
    """What survives the code pages of a console."""
    return re.sub(r"[^!-~]|\?", "", text)


def _ours(unit: Unit, run: Run) -> None:
    if _kept(unit, run) is False:
        raise ReportsError(
            f"a service named {unit.name} is installed for another project",
            where=str(unit.path),
            hint="give this one a name of its own: --name NAME",
        )


def _there(unit: Unit) -> None:
    if shutil.which(unit.program) is None or (unit.needs and not unit.needs.is_dir()):
        raise ReportsError(
            f"{unit.platform} does not run on this machine, as it never does in a container",
            hint="reports service print docker, and compose, show how a container is kept running; "
            "elsewhere have whatever starts programs there run: reports serve",
        )


def _write(unit: Unit) -> None:
    path = Path(unit.path)
    half = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(unit.content)
        half.chmod(0o644)
        half.replace(path)
    except PermissionError as error:
        raise _forbidden(unit, "written") from error


def _unlink(unit: Unit) -> None:
    try:
        Path(unit.path).unlink(missing_ok=True)
    except PermissionError as error:
        raise _forbidden(unit, "removed") from error


def _forbidden(unit: Unit, what: str) -> ReportsError:
    return ReportsError(
        f"{unit.path} cannot be {what}: permission denied",
        where=str(unit.path),
        hint="run the same command as root (sudo with the full path of reports), or with --user as your own service",
    )
