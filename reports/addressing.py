"""Who gets a report, and who is told when there is none: every name in a list, a group or a pattern is settled here.

What is written wrong is told before a run, all at once, with its file, line and key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reports import toml
from reports.definition import Job
from reports.errors import DefinitionError, JobError, SettingsError, choices
from reports.model import MessageKind
from reports.settings import Mail, Settings
from reports.transports.address import ascii_domain, parse

FIRST = 10
"""How many recipients a banner names; the rest it counts."""
_ANYBODY = 'write "name@example.com", "*@example.com" or "example.com"'


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """Whom a message goes to, each address once; `banner` is what its readers must know about that."""

    to: Sequence[str]
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    reply_to: str = ""
    banner: str = ""
    kind: MessageKind = "report"

    @property
    def everyone(self) -> Sequence[str]:
        return (*self.to, *self.cc, *self.bcc)


@dataclass(frozen=True)
class _Key:
    """Where names are written, and the error that tells what is wrong with them."""

    name: tuple[str, ...]
    file: Path | None = None
    error: type[DefinitionError] = DefinitionError

    def wrong(self, what: str, *, hint: str = "") -> DefinitionError:
        return self.error(what, where=self.where, hint=hint)

    @property
    def where(self) -> str:
        if self.file is None:
            return toml.dotted(self.name)
        line = f":{toml.read(self.file, error=self.error).line(self.name)}" if self.file.is_file() else ""
        return f"{self.file}{line}, key {toml.dotted(self.name)}"


@dataclass(frozen=True)
class _Recipient:
    """An address as written, what it is compared by, and where it stands."""

    text: str
    address: str
    key: _Key


def envelope(job: Job, settings: Settings, *, only: Sequence[str] = ()) -> Envelope:
    """Whom the job's report goes to; with `only` a test that these get, and nobody of the job's list.

    Where `[mail] redirect` is set it goes there instead. A DefinitionError tells every name that is no
    address and no group, every address that `[mail] allow` does not, and that there is nobody.
    """
    written = [_to(job, settings), (_in_job(job, "cc"), job.cc), (_in_job(job, "bcc"), job.bcc)]
    lists = [list(_read(names, settings, key)) for key, names in written]
    asked, replies = list(_read(only, settings, _Key(("--to",)))), list(_replies(job, settings))
    _raise(one for read in (*lists, asked, replies) for one in read)
    to, cc, bcc = _once(lists)
    named = Envelope(to=_texts(to), cc=_texts(cc), bcc=_texts(bcc), reply_to="".join(_texts(_recipients(replies))))
    receiving = _once([asked])[0] if only else [*to, *cc, *bcc]
    if not receiving:
        raise _nobody(job)
    if not settings.mail.redirect:
        _check_allowed(receiving, settings)
    return redirected(_test(named, _texts(receiving)) if only else named, settings)


def owners(job: Job | None, settings: Settings) -> Sequence[str]:
    """Who is told when the job fails: its `owner`, or `[mail] admins`; perhaps nobody.

    `job` is None where it cannot be read. Where `[mail] redirect` is set, `redirected` is for the notice too.
    """
    by_job = (_in_job(job, "owner"), job.owner) if job and job.owner else None
    key, names = by_job or (_in_settings(settings, "mail", "admins"), settings.mail.admins)
    read = list(_read(names, settings, key))
    _raise(read)
    (found,) = _once([read])
    if not settings.mail.redirect:
        _check_allowed(found, settings)
    return _texts(found)


def redirected(envelope: Envelope, settings: Settings) -> Envelope:
    """The envelope as it is; or, with `[mail] redirect`, to that one address, and a banner that says who it was for."""
    if not settings.mail.redirect:
        return envelope
    key = _in_settings(settings, "mail", "redirect")
    read = [_one(settings.mail.redirect, key)]
    _raise(read)
    _check_allowed(_recipients(read), settings)
    said = (
        f"This is not production: [mail] redirect sends every mail to {settings.mail.redirect} alone. "
        f"It was for {_told(envelope.everyone)}."
    )
    banner = f"{envelope.banner} {said}".strip()
    return replace(envelope, to=(settings.mail.redirect,), cc=(), bcc=(), banner=banner)


def allowed(address: str, mail: Mail) -> bool:
    """Whether `[mail] allow` lets `address` receive: everybody where it is empty.

    In a pattern `*` stands for any characters on its side of the @; a domain alone means all of its
    addresses, but none of its subdomains.
    """
    if not mail.allow:
        return True
    local, _, domain = parse(address).key.rpartition("@")
    return any(
        re.fullmatch(_expression(whom), local) and re.fullmatch(_expression(_ascii(where)), domain)
        for whom, where in map(_sides, mail.allow)
    )


# -- where names are written ----------------------------------------------------------------------


def _in_job(job: Job, name: str) -> _Key:
    return _Key((name,), job.folder / "job.toml", JobError)


def _in_settings(settings: Settings, *name: str) -> _Key:
    return _Key(name, settings.root / "settings.toml", SettingsError)


def _to(job: Job, settings: Settings) -> tuple[_Key, Sequence[str]]:
    return (_in_job(job, "to"), job.to) if job.to else (_in_settings(settings, "mail", "to"), settings.mail.to)


def _replies(job: Job, settings: Settings) -> Iterator[_Recipient | DefinitionError]:
    if job.reply_to:
        yield _one(job.reply_to, _in_job(job, "reply_to"))
    elif settings.mail.reply_to:
        yield _one(settings.mail.reply_to, _in_settings(settings, "mail", "reply_to"))


# -- from names to recipients ---------------------------------------------------------------------


def _read(names: Iterable[str], settings: Settings, key: _Key) -> Iterator[_Recipient | DefinitionError]:
    """Each recipient that `names` mean, or what is wrong with it."""
    for name in names:
        if "@" in name:
            yield _one(name, key)
        elif name.strip() in settings.groups:
            inside = _in_settings(settings, "groups", name.strip())
            yield from (_one(member, inside) for member in settings.groups[name.strip()])
        else:
            yield key.wrong(
                f"'{name}' is neither a mail address nor a group",
                hint=choices(name, settings.groups, what="groups in settings.toml"),
            )


def _one(text: str, key: _Key) -> _Recipient | DefinitionError:
    try:
        return _Recipient(text.strip(), parse(text).key, key)
    except DefinitionError as error:
        return key.wrong(error.what, hint=error.hint)


def _raise(read: Iterable[_Recipient | DefinitionError]) -> None:
    """One error that tells all that are wrong."""
    wrong = {(one.what, one.where): one for one in read if isinstance(one, DefinitionError)}
    if wrong:
        raise DefinitionError.join(list(wrong.values()))


def _recipients(read: Iterable[_Recipient | DefinitionError]) -> list[_Recipient]:
    return [one for one in read if isinstance(one, _Recipient)]


def _once(lists: Sequence[Iterable[_Recipient | DefinitionError]]) -> list[list[_Recipient]]:
    """The lists without addresses that stood before, in any of them."""
    kept: dict[str, tuple[int, _Recipient]] = {}
    for number, read in enumerate(lists):
        for one in _recipients(read):
            kept.setdefault(one.address, (number, one))
    return [[one for at, one in kept.values() if at == number] for number in range(len(lists))]


def _texts(recipients: Iterable[_Recipient]) -> Sequence[str]:
    return tuple(recipient.text for recipient in recipients)


def _nobody(job: Job) -> JobError:
    return JobError(
        f"job '{job.name}' has nobody to send to",
        where=str(job.folder / "job.toml"),
        hint='add to = ["name@example.com"] to the job, or to [mail] in settings.toml',
    )


# -- what may be sent to whom ---------------------------------------------------------------------


def _check_allowed(recipients: Iterable[_Recipient], settings: Settings) -> None:
    mail = settings.mail
    _raise(_patterns(settings))
    patterns = ", ".join(mail.allow)
    _raise(
        recipient.key.wrong(
            f"{recipient.address} is not among those whom [mail] allow lets receive: {patterns}",
            hint="take the address out, or add a pattern for it to [mail] allow in settings.toml",
        )
        for recipient in recipients
        if not allowed(recipient.address, mail)
    )


def _patterns(settings: Settings) -> Iterator[DefinitionError]:
    """The patterns of `[mail] allow` that can mean nobody."""
    for pattern in settings.mail.allow:
        whom, where = _sides(pattern)
        if not (whom and _ascii(where)) or re.search(r"[\s<>@]", whom):
            key = _in_settings(settings, "mail", "allow")
            yield key.wrong(f"'{pattern}' is no pattern for addresses", hint=_ANYBODY)


def _sides(pattern: str) -> tuple[str, str]:
    """The pattern before the @ and after it."""
    whom, _, where = pattern.strip().casefold().rpartition("@")
    return whom or "*", where


def _ascii(pattern: str) -> str:
    """A domain with stars as addresses have it; nothing where it is none, or a star is in a label beyond ASCII."""
    if any("*" in label and not label.isascii() for label in pattern.split(".")):
        return ""
    star = "x-star-x"
    return ascii_domain(pattern.replace("*", star)).replace(star, "*")


def _expression(pattern: str) -> str:
    return ".*".join(map(re.escape, pattern.split("*")))


# -- what is said about it ------------------------------------------------------------------------


def _test(named: Envelope, only: Sequence[str]) -> Envelope:
    count = len(named.everyone)
    spared = f"its own list, {count:,} recipient{'s' if count > 1 else ''}, was not used" if count else "it has no list"
    banner = f"Test: this report was asked for by hand; {spared}."
    return replace(named, to=only, cc=(), bcc=(), kind="test", banner=banner)


def _told(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - FIRST
    listed = ", ".join(names[:FIRST])
    return f"{listed} and {more:,} more" if more > 0 else listed
