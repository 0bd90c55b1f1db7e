"""What the owner of a job is told: that it failed, was not delivered, or works again. Each is a mail like any other.

They are rendered by the project's templates, so that they look like its reports; where those are what is
broken, by the shipped ones. No secret of the project is in them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from reports import shipped
from reports.errors import DefinitionError, ReportsError
from reports.model import Block, Delivery, DeliveryState, Figure, Figures, Page, Report, Run, Status, Text
from reports.render import html, text, themes
from reports.settings import Settings

LOG_LINES = 20
FIRST = 10
"""How many recipients are named beside an answer, and how many answers; the rest are counted."""
_LONGEST_LINE = 300
_TIMES = 3  # more of them are told as from when to when
_STATES: dict[DeliveryState, str] = {
    "refused": "Refused, and not tried again.",
    "unknown": "Not known: the whole message had gone, and no answer to it was heard. It may have arrived.",
    "expired": "Given up: it was not taken in time.",
    "held": "Held until somebody decides.",
    "pending": "Not taken yet; it is tried again by itself.",
    "sending": "Being sent.",
    "cancelled": "Cancelled.",
    "accepted": "Accepted.",
}
_TRIGGERS = {
    "schedule": "as scheduled",
    "manual": "by hand",
    "backfill": "for a day gone by",
    "retry": "once more",
    "test": "as a test",
}
_WELL = "Works again"
_LOG = "The end of the log"
_ONCE_MORE = "Should it fail once more, a mail says so."
_ONCE = "No further mail comes about this until it works again; then one that says so."


def failure(
    run: Run, *, title: str, error: ReportsError | str, log: str, settings: Settings, banner: str = ""
) -> Report:
    """That the run failed: what, where, what to do, the end of the log, and how to run it again.

    `banner` is said first, such as who would have got the notice in production.
    """
    problems = _problems(error)
    blocks, notices = _stopped(run, problems, settings.mask(log), settings), [banner, *_told(problems)]
    return _report(run, title, _page("Failed", run, title=title, blocks=blocks, notices=notices), settings)


def interrupted(
    run: Run, *, title: str, error: ReportsError | str, log: str, settings: Settings, banner: str = ""
) -> Report:
    """That the run ended before it was done, so that nothing of it was sent; otherwise as `failure`."""
    problems = _problems(error)
    blocks, notices = _stopped(run, problems, settings.mask(log), settings), [banner, *_told(problems)]
    return _report(run, title, _page("Interrupted", run, title=title, blocks=blocks, notices=notices), settings)


def missed(run: Run, *, runs: Sequence[Run], title: str, settings: Settings, zone: str, banner: str = "") -> Report:
    """That occurrences went by with no run, each with why, and how to make the report now.

    `run` is the last of `runs`; times are told on the clock of `zone`, the job's.
    """
    place, job = ZoneInfo(zone), _quoted(settings.mask(run.job))
    due = (run.occurrence or run.started).astimezone(place)
    times = f"{len(runs):,} times" if len(runs) > 1 else f"on {due:%A, %Y-%m-%d, at %H:%M}"
    said = f"This report was due {times} and was not made."
    blocks: list[Block] = [
        Figures(
            items=[
                Figure(label="Job", value=run.job),
                Figure(label="Not made", value=len(runs), format="integer"),
                Figure(label="Last due", value=f"{due:%H:%M}", note=f"{due:%Y-%m-%d}, {place}"),
            ]
        ),
        *_reasons(runs, place, settings.mask),
        Text(
            text="Look whether the service is at work, whether the job is sound, and what became of the others.",
            title="Next step",
        ),
        Text(text=f"reports service status\nreports check {job}\nreports runs {job}", as_is=True),
        Text(text="Nothing is sent for these by itself. This makes the report of such a day by hand."),
        Text(text=f"reports run {job} --as-of {run.as_of}", as_is=True),
        Text(text=_ONCE),
    ]
    return _report(run, title, _page("Missed", run, title=title, blocks=blocks, notices=[banner, said]), settings)


def undelivered(
    run: Run, *, title: str, deliveries: Sequence[Delivery], settings: Settings, banner: str = ""
) -> Report:
    """Who did not get the report, what was answered for each, and how it is sent again to them alone."""
    several = len(deliveries) > 1
    said = f"{len(deliveries):,} recipient{'s' if several else ''} did not get this report, as far as is known."
    again = "This sends it again to those who did not get it, and to nobody else."
    commands = [f"reports outbox retry {run.id}", f"reports show {run.id}"]
    if any(delivery.state == "unknown" for delivery in deliveries):
        again += " With --unknown also to those of whom it is not known, who may then have it twice."
        commands.insert(1, f"{commands[0]} --unknown")
    count = Figure(label="Not delivered", value=len(deliveries), format="integer")
    blocks: list[Block] = [
        Figures(items=[count, *_about(run, settings)[:2]]),
        *_answers(deliveries, settings.mask),
        Text(text=again, title="Next step"),
        Text(text="\n".join(commands), as_is=True),
        Text(text=_ONCE),
    ]
    page = _page("Not delivered", run, title=title, blocks=blocks, notices=[banner, said])
    return _report(run, title, page, settings)


def recovery(
    run: Run, *, title: str, since: dt.datetime, about: Sequence[str] = (), settings: Settings, banner: str = ""
) -> Report:
    """That the job works again, which it had not done `since` then; or that the recipients in `about` get it again."""
    over = run.finished or run.started
    broken = f"since {_instant(since, settings)}, for {length(over - since)}"
    if about:
        said = f"The report reaches these again: {_named(about)}. It had not {broken}."
    else:
        said = f"The run of {_instant(run.started, settings)} succeeded. The job had not worked {broken}."
    blocks: list[Block] = [
        Text(text=said),
        Figures(items=_about(run, settings)),
        Text(text=f"reports show {run.id}", as_is=True),
        Text(text=_ONCE_MORE),
    ]
    return _report(run, title, _page(_WELL, run, title=title, blocks=blocks, notices=[banner]), settings)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What was told first: the subject, sentences that say what happened, to whom in words, and how long `ago`."""

    said: str
    what: Sequence[str]
    to: str
    ago: dt.timedelta


def unacknowledged(run: Run, *, title: str, about: Told, settings: Settings, banner: str = "") -> Report:
    """That nobody has acknowledged a failure, and how that is done."""
    to = f"It was told to {about.to}." if about.to else "Nobody could be told of it at once."
    blocks: list[Block] = [
        Text(text=f"{to} Nobody has acknowledged it within {length(about.ago)}, and it does not work yet."),
        Figures(items=_about(run, settings)[:2]),
        Text(text=f"reports acknowledge {run.id}\nreports show {run.id}", title="Next step", as_is=True),
        Text(text="Whoever acknowledges it keeps others from being told."),
    ]
    notices = [banner, about.said, *map(sentence, about.what)]
    return _report(run, title, _page("Not acknowledged", run, title=title, blocks=blocks, notices=notices), settings)


# -- what failed ----------------------------------------------------------------------------------


def _problems(error: ReportsError | str) -> Sequence[ReportsError]:
    if isinstance(error, str):
        return [ReportsError(error)]
    return error.problems if isinstance(error, DefinitionError) else [error]


def _told(problems: Sequence[ReportsError]) -> list[str]:
    """What happened: one thing in its own words, several each with its place and what to do."""
    return [sentence(one.what if len(problems) == 1 else _in_one(one)) for one in problems]


def _stopped(run: Run, problems: Sequence[ReportsError], log: str, settings: Settings) -> list[Block]:
    blocks: list[Block] = [Figures(items=_about(run, settings))]
    blocks += _place_and_hint(problems[0]) if len(problems) == 1 else ()
    if lines := _end(log):
        blocks.append(Text(text=lines, title=_LOG, as_is=True))
    commands = f"reports show {run.id}\n{_again(run, settings.mask)}"
    return [*blocks, Text(text=commands, title="Look at it, and run it again", as_is=True), Text(text=_ONCE)]


def _in_one(problem: ReportsError) -> str:
    where = f" ({problem.where})" if problem.where else ""
    return f"{problem.what}{where}. {sentence(problem.hint)}".strip()


def _place_and_hint(problem: ReportsError) -> Iterator[Text]:
    if problem.where:
        yield Text(text=problem.where, title="Where")
    if problem.hint:
        yield Text(text=sentence(problem.hint), title="What to do")


def _end(log: str) -> str:
    """The last lines of the log that say something, none too long to be read."""
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in log.splitlines()]
    kept = [line for line in lines if line][-LOG_LINES:]
    return "\n".join(line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…" for line in kept)


def _again(run: Run, mask: Callable[[str], str]) -> str:
    """The command that makes the run again, with the params it had where a person gave them."""
    given = [pair for pair in run.params.items() if pair[0] != "as_of"] if run.trigger in {"manual", "test"} else []
    params = [f"-p {_quoted(mask(f'{name}={value}'))}" for name, value in given]  # quoting may change a secret
    return " ".join([f"reports run {_quoted(mask(run.job))} --as-of {run.as_of}", *params])


def _quoted(word: str) -> str:
    """A word as shells of every system take it."""
    return word if re.fullmatch(r"[\w./:@=+-]+", word) else '"' + word.replace('"', r"\"") + '"'


# -- what was not made -----------------------------------------------------------------------------


def _reasons(runs: Sequence[Run], place: ZoneInfo, mask: Callable[[str], str]) -> Iterator[Text]:
    """One text for each reason, with the times it holds for, all on the job's own clock."""
    when: dict[str, list[str]] = {}
    for run in runs:
        due = (run.occurrence or run.started).astimezone(place)
        reason = _on_the_clock_of(place, mask(run.error).partition("\n")[0])[: _LONGEST_LINE * 2]
        when.setdefault(reason, []).append(f"{due:%a %Y-%m-%d %H:%M}")
    for reason, times in list(when.items())[-FIRST:]:
        several = f"{len(times):,} times from {times[0]} to {times[-1]}"
        yield Text(text=sentence(reason), title=", ".join(times) if len(times) <= _TIMES else several)
    if more := list(when.values())[:-FIRST]:
        yield Text(text=f"{sum(map(len, more)):,} earlier times, for other reasons, are not shown here.")


def _on_the_clock_of(place: ZoneInfo, text: str) -> str:
    """The instants in a reason, which are kept in UTC, as the reader's clock had them."""
    return re.sub(
        r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)Z",
        lambda found: f"{dt.datetime.fromisoformat(f'{found[1]}Z').astimezone(place):%Y-%m-%d %H:%M}",
        text,
    )


# -- what was not delivered -----------------------------------------------------------------------


def _answers(deliveries: Sequence[Delivery], mask: Callable[[str], str]) -> Iterator[Text]:
    """One text for each answer, with those who were answered that; the most frequent first."""
    by_answer = sorted(deliveries, key=_answer)
    groups = sorted((list(group) for _, group in groupby(by_answer, key=_answer)), key=len, reverse=True)
    for group in groups[:FIRST]:
        said = mask(group[0].last_reply)[: _LONGEST_LINE * 2]
        whose = "The server's words" if re.match(r"[2-5]\d\d\b", said) else "Why"
        lines = [_STATES[group[0].state], *([f"{whose}: {said}"] if said else [])]
        hint = [sentence(group[0].hint)] if group[0].hint else []
        yield Text(text="\n\n".join(["\n".join(lines), *hint]), title=_named([one.who for one in group]))
    if more := groups[FIRST:]:
        yield Text(text=f"{len(more):,} other answers, for {sum(map(len, more)):,} recipients, are not shown here.")


def _answer(delivery: Delivery) -> tuple[str, str, str]:
    return delivery.state, delivery.last_reply, delivery.hint


# -- what all have in common ----------------------------------------------------------------------


def _about(run: Run, settings: Settings) -> list[Figure]:
    started = run.started.astimezone(ZoneInfo(settings.timezone))
    trigger = f"attempt {run.attempt}, " if run.attempt > 1 else ""
    figures = [
        Figure(label="Job", value=run.job, note=trigger + _TRIGGERS[run.trigger]),
        Figure(label="Started", value=f"{started:%H:%M}", note=f"{started:%Y-%m-%d}, {settings.timezone}"),
    ]
    if run.finished:
        figures.append(Figure(label="Ran for", value=length(run.finished - run.started)))
    return figures


def _instant(when: dt.datetime, settings: Settings) -> str:
    return f"{when.astimezone(ZoneInfo(settings.timezone)):%Y-%m-%d %H:%M}"


def length(time: dt.timedelta) -> str:
    """A length of time as people say it, in its two largest units."""
    minutes, seconds = divmod(max(0, round(time.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days:,} day{'s' if days > 1 else ''}" + (f" {hours} h" if hours else "")
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _named(names: Sequence[str]) -> str:
    more = len(names) - FIRST
    return ", ".join(names[:FIRST]) + (f" and {more:,} more" if more > 0 else "")


def sentence(words: str) -> str:
    """The words with a capital at their beginning."""
    return words[:1].upper() + words[1:]


def _page(word: str, run: Run, *, title: str, blocks: Sequence[Block], notices: Sequence[str]) -> Page:
    return Page(
        title=f"{word}: {title}",
        subject=f"{word}: {title}, {run.as_of}",
        as_of=run.as_of,
        blocks=blocks,
        notices=[notice for notice in notices if notice],
        status=Status(text=word, tone="good" if word == _WELL else "bad"),
    )


def _report(run: Run, title: str, page: Page, settings: Settings) -> Report:
    page = replace(_masked(page, settings.mask), theme=themes.resolve_or_plain(settings.theme))
    body, plain = rendered(page, settings)
    return Report(
        job=run.job,
        title=settings.mask(title),
        as_of=run.as_of,
        subject=_one_line(page.subject),
        html=body,
        text=plain,
        images=page.theme.images,
        brief="\n".join(_brief(page)),
    )


def _brief(page: Page) -> Iterator[str]:
    """What a chat says of it, a line each: without the log, and without what follows from nothing else coming."""
    yield from page.notices
    for block in page.blocks:
        if isinstance(block, Figures):
            yield ", ".join(f"{one.label}: {one.value}" + (f" ({one.note})" if one.note else "") for one in block.items)
        elif isinstance(block, Text) and block.title != _LOG and block.text not in {_ONCE, _ONCE_MORE}:
            yield f"{block.title}: {block.text}" if block.title and not block.as_is else block.text


def rendered(page: Page, settings: Settings) -> tuple[str, str]:
    """HTML and text by the project's templates; by the shipped ones where those are what is broken."""
    try:
        return _by(shipped.template_folders(settings.root), page)
    except ReportsError:
        return _by(shipped.template_folders(shipped.folder()), page)


def _by(folders: Sequence[Path], page: Page) -> tuple[str, str]:
    return html.render(page, (), template="report.html.j2", folders=folders), text.render(page, folders=folders)


def _one_line(subject: str) -> str:
    """The subject of a job whose title could be what is wrong with it."""
    return " ".join("".join(one if one.isprintable() else " " for one in subject).split())


def _masked(page: Page, mask: Callable[[str], str]) -> Page:
    return replace(
        page,
        title=mask(page.title),
        subject=mask(page.subject),
        notices=[mask(notice) for notice in page.notices],
        blocks=[_without_secrets(block, mask) for block in page.blocks],
    )


def _without_secrets(block: Block, mask: Callable[[str], str]) -> Block:
    if isinstance(block, Text):
        return replace(block, title=mask(block.title), text=mask(block.text))
    if isinstance(block, Figures):
        return replace(block, items=[replace(item, value=_said(item.value, mask)) for item in block.items])
    return block


def _said(value: object, mask: Callable[[str], str]) -> object:
    return mask(value) if isinstance(value, str) else value
