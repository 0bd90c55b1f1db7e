"""Who gets a report, and who is told when there is none: every name in a list, a group or a pattern is settled here.

What is written wrong is told before a run, all at once, with its file, line and key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from reports.definition import Job
from reports.errors import DefinitionError, JobError, SettingsError, choices
from reports.model import MessageKind
from reports.render.languages import known
from reports.render.locales import ENGLISH, Locale
from reports.settings import Mail, Settings
from reports.transports.address import ascii_domain, parse
from reports.written import Key

FIRST = 10
"""How many recipients a banner names; the rest it counts."""
_ANYBODY = 'write "name@example.com", "*@example.com" or "example.com"'


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """Whom a message goes to, each address once; `banner` is what its readers must know about that.

    `name` tells it from the other messages of its run, and is of files: de; the job's own has none.
    """

    to: Sequence[str]
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    reply_to: str = ""
    banner: str = ""
    kind: MessageKind = "report"
    locale: Locale = ENGLISH
    name: str = ""

    @property
    def everyone(self) -> Sequence[str]:
        return (*self.to, *self.cc, *self.bcc)


@dataclass(frozen=True)
class _Recipient:
    """An address as written, what it is compared by, and where it stands."""

    text: str
    address: str
    key: Key


@dataclass(frozen=True)
class _Letter:
    """One message of a run as it is written: its lists with their keys, its language, and its name among others."""

    lists: Sequence[tuple[Key, Sequence[str]]]
    locale: Locale
    name: str = ""


def envelopes(job: Job, settings: Settings, *, only: Sequence[str] = ()) -> Sequence[Envelope]:
    """Whom the job's report goes to, an envelope for its own lists and for each of its audiences.

    Whoever is in several gets the first alone. With `only` it is a test of each that these get, and nobody of the
    lists. Where `[mail] redirect` is set it goes there instead. A DefinitionError tells every name that is no address
    and no group, every address that `[mail] allow` does not, every language that nobody knows, and that there is
    nobody.
    """
    letters = list(_letters(job, settings))
    lists = [list(_read(names, settings, key)) for letter in letters for key, names in letter.lists]
    asked, replies = list(_read(only, settings, Key(("--to",)))), list(_replies(job, settings))
    _raise([*_unknown_languages(job, settings), *(one for read in (*lists, asked, replies) for one in read)])
    once = _once(lists)
    receiving = _once([asked])[0] if only else [one for names in once for one in names]
    if not receiving:
        raise _nobody(job)
    if not settings.mail.redirect:
        _check_allowed(receiving, settings)
    reply_to = "".join(_texts(_recipients(replies)))
    named = [_enveloped(letter, once[3 * at : 3 * at + 3], reply_to) for at, letter in enumerate(letters)]
    sent = [one for one in named if one.everyone] or named[:1]
    return [redirected(_test(one, _texts(receiving)) if only else one, settings) for one in sent]


def _enveloped(letter: _Letter, lists: Sequence[Sequence[_Recipient]], reply_to: str) -> Envelope:
    to, cc, bcc = map(_texts, lists)
    return Envelope(to=to, cc=cc, bcc=bcc, reply_to=reply_to, locale=letter.locale, name=letter.name)


def repeated(job: Job, settings: Settings) -> Sequence[str]:
    """The addresses that stand in the lists of several messages, of which they get the first alone."""
    letters = [
        {one.address: one.text for key, names in letter.lists for one in _recipients(_read(names, settings, key))}
        for letter in _letters(job, settings)
    ]
    every = [address for letter in letters for address in letter]
    texts = {address: text for letter in letters for address, text in letter.items()}
    return [text for address, text in texts.items() if every.count(address) > 1]


def locale_of(job: Job, settings: Settings, *, language: str = "", currency: str = "") -> Locale:
    """The language and the currency of a report: an audience's own, else the job's, else the project's."""
    return Locale(language or job.language or settings.language, currency or settings.currency)


def owners(job: Job | None, settings: Settings) -> Sequence[str]:
    """Who is told when the job fails: its `owner`, or `[mail] admins`; perhaps nobody.

    `job` is None where it cannot be read. Where `[mail] redirect` is set, `redirected` is for the notice too.
    """
    by_job = (_in_job(job, "owner"), job.owner) if job and job.owner else None
    key, names = by_job or (_in_settings(settings, "mail", "admins"), settings.mail.admins)
    return reached(names, settings, key)


def reached(names: Sequence[str], settings: Settings, key: Key) -> Sequence[str]:
    """The addresses that the names of a list mean, each once; a DefinitionError tells all that are wrong, by `key`."""
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
    said = envelope.locale.word(
        "This is not production: [mail] redirect sends every mail to {address} alone. It was for {names}.",
        address=settings.mail.redirect,
        names=_told(envelope.everyone, envelope.locale),
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


def _in_job(job: Job, *name: str | int) -> Key:
    return Key(name, job.folder / "job.toml", JobError)


def _in_settings(settings: Settings, *name: str) -> Key:
    return Key(name, settings.root / "settings.toml", SettingsError)


def _letters(job: Job, settings: Settings) -> Iterator[_Letter]:
    """The messages of a run: the job's own, and one for each audience."""
    to = (_in_settings(settings, "mail", "to"), settings.mail.to)
    if job.to or job.audience:
        to = (_in_job(job, "to"), job.to)
    yield _Letter([to, (_in_job(job, "cc"), job.cc), (_in_job(job, "bcc"), job.bcc)], locale_of(job, settings))
    taken: list[str] = []
    for at, one in enumerate(job.audience):
        locale = locale_of(job, settings, language=one.language, currency=one.currency)
        name = f"{locale.tag}-{one.currency}" if one.currency else locale.tag
        taken.append(name)
        lists = [(_in_job(job, "audience", at, key), getattr(one, key)) for key in ("to", "cc", "bcc")]
        yield _Letter(lists, locale, f"{name}-{taken.count(name)}" if taken.count(name) > 1 else name)


def _unknown_languages(job: Job, settings: Settings) -> Iterator[DefinitionError]:
    written = [(_in_settings(settings, "language"), settings.language), (_in_job(job, "language"), job.language)]
    written += [(_in_job(job, "audience", at, "language"), one.language) for at, one in enumerate(job.audience)]
    for key, language in written:
        if language and not known(language):
            yield key.wrong(f"'{language}' is no language", hint="write it as browsers do: de, fr-CH, pt-BR, zh-Hans")


def _replies(job: Job, settings: Settings) -> Iterator[_Recipient | DefinitionError]:
    if job.reply_to:
        yield _one(job.reply_to, _in_job(job, "reply_to"))
    elif settings.mail.reply_to:
        yield _one(settings.mail.reply_to, _in_settings(settings, "mail", "reply_to"))


# -- from names to recipients ---------------------------------------------------------------------


def _read(names: Iterable[str], settings: Settings, key: Key) -> Iterator[_Recipient | DefinitionError]:
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


def _one(text: str, key: Key) -> _Recipient | DefinitionError:
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
    count, locale = len(named.everyone), named.locale
    banner = locale.plural(
        "Test: this report was asked for by hand; its own list, {count} recipient, was not used.",
        "Test: this report was asked for by hand; its own list, {count} recipients, was not used.",
        count,
    )
    if not count:
        banner = locale.word("Test: this report was asked for by hand; it has no list.")
    return replace(named, to=only, cc=(), bcc=(), kind="test", banner=banner)


def _told(names: Sequence[str], locale: Locale) -> str:
    """The first names, and how many more there are."""
    more, listed = len(names) - FIRST, ", ".join(names[:FIRST])
    if more <= 0:
        return listed
    return locale.word("{names} and {count} more", names=listed, count=locale.integer(more))
