"""What `reports check --connect` finds at a mail server, step by step, without sending a message."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from reports.model import size
from reports.transports.account import Account
from reports.transports.address import parse
from reports.transports.base import step
from reports.transports.login import log_in
from reports.transports.providers import Limits
from reports.transports.session import MASK, Session
from reports.transports.wire import addresses, dial

SOON = 14
"""Days before a certificate ends from which on that is a warning."""
MOST_SKEW = 60
"""Seconds by which two clocks may differ without a warning."""
_DATE = re.compile(r"(?:\w{3}, )?\d{1,2} \w{3} \d{4} \d\d:\d\d(?::\d\d)? (?:[+-]\d{4}|[A-Z]{1,5})")


def steps(account: Account) -> Iterator[tuple[str, str]]:
    """dns, port, tls, greeting, login, sender, size, clock and limits, each with what was found on one line.

    A TransportError at the first step that fails; its text begins with the step's name.
    """
    with step("dns"):
        found = addresses(account)
    yield "dns", f"{account.host} is {', '.join(found)}"
    began = time.perf_counter()
    with step("port"):
        session = Session(account, dial(account))
    yield "port", f"connected to {account.where} in {(time.perf_counter() - began) * 1000:.0f} ms"
    with contextlib.closing(session):
        yield from _greeted(session)
        yield from _admitted(session)
    yield "limits", _limits(account.provider.limits)


def _greeted(session: Session) -> Iterator[tuple[str, str]]:
    if session.account.security == "tls":
        with step("tls"):
            session.secure()
    with step("greeting"):
        session.welcome()
        session.greet()
    if session.account.security == "starttls":
        with step("tls"):
            session.start_tls()
    yield "tls", _tls(session)
    yield "greeting", f"{session.greeting or 'no name'}; logins offered: {', '.join(session.mechanisms) or 'none'}"


def _admitted(session: Session) -> Iterator[tuple[str, str]]:
    account = session.account
    with step("login"):
        mechanism = log_in(session)
    user = account.user.replace("{secret}", MASK)
    yield "login", f"logged in with {mechanism} as {user}" if mechanism else "none, as settings say"
    sender = parse(account.sender).spec
    with step("sender"):
        session.begin(sender)
        session.command("RSET")
    yield "sender", f"{sender} may send"
    limit = min((one for one in (account.size_limit, session.size_limit) if one), default=None)
    yield "size", f"messages up to {size(limit)}" if limit else "no size limit announced"
    yield "clock", _clock(session)


# -- what was found, in words -----------------------------------------------------------------------


def _tls(session: Session) -> str:
    if session.tls is None:
        return "not encrypted, as settings allow"
    certificate: Any = session.tls.getpeercert() or {}
    names = ", ".join(value for _, value in certificate.get("subjectAltName", ()))
    until = dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), dt.UTC)
    days = (until - dt.datetime.now(dt.UTC)).days
    line = f"{session.tls.version()}, certificate for {names[:120]}, issued by {_issuer(certificate)}, "
    line += f"valid until {until:%Y-%m-%d}, {days:,} days left"
    return f"{line}: warning, it ends soon" if days < SOON else line


def _issuer(certificate: Mapping[str, Any]) -> str:
    """The authority's names as they stand in the certificate, the organisation before its own name."""
    parts = dict(pair for group in certificate.get("issuer", ()) for pair in group)
    names = [parts[key] for key in ("organizationName", "commonName") if key in parts]
    return " / ".join(names) or ", ".join(map(str, parts.values())) or "nobody named"


def _clock(session: Session) -> str:
    """How far this machine's clock is from the server's, where its greeting tells the time."""
    skew = _skew(session)
    if skew is None:
        return "the server's greeting does not tell its time"
    if abs(skew) <= MOST_SKEW:
        return f"within {MOST_SKEW} s of the server's"
    way = "ahead of" if skew > 0 else "behind"
    return f"warning, this machine's clock is {abs(skew):,.0f} s {way} the server's: set it, by NTP if possible"


def _skew(session: Session) -> float | None:
    told = _DATE.search(session.greeting)
    if told is None or session.greeted_at is None:
        return None
    try:
        server = parsedate_to_datetime(told[0])
    except ValueError:
        return None
    server = server if server.tzinfo else server.replace(tzinfo=dt.UTC)
    return (session.greeted_at - server).total_seconds()


def _limits(limits: Limits) -> str:
    known = [(name, value) for name, value in vars(limits).items() if value is not None]
    told = [f"{value:,} {name.replace('_', ' ').replace('per', 'a')}" for name, value in known]
    return f"at most {', '.join(told)}" if told else "none known"
