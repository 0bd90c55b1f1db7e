"""The login: one attempt with one mechanism, never without TLS beyond this machine."""

from __future__ import annotations

from reports.errors import ReportsError, TransportError
from reports.transports.account import is_loopback
from reports.transports.session import Session

_PREFERRED = ("PLAIN", "LOGIN", "CRAM-MD5")


def log_in(session: Session) -> str:
    """The mechanism that logged in, empty where the account has no login.

    A TransportError where it is refused, or not safe, or the secret cannot be had; it is about the
    account, whatever the message.
    """
    try:
        credentials = session.account.credentials()
        if credentials is None:
            return ""
        _is_safe(session)
        mechanism = _mechanism(session)
        session.log_in(mechanism, *credentials)
    except TransportError as error:
        error.account = True
        raise
    except ReportsError as error:
        raise TransportError(error.what, where=error.where, hint=error.hint, permanent=True, account=True) from error
    return mechanism


def _is_safe(session: Session) -> None:
    if session.tls is None and not is_loopback(session.account.host):
        raise TransportError(
            "no login without TLS, so nothing was sent",
            where=session.account.where,
            hint='use security = "starttls" or "tls"',
            permanent=True,
        )


def _mechanism(session: Session) -> str:
    """The one mechanism to try: as settings say, else the best that both the row and the server know."""
    account, offered = session.account, session.mechanisms
    known = [name for name in account.provider.mechanisms or _PREFERRED if name in _PREFERRED]
    wanted = [account.mechanism] if account.mechanism else known
    if found := next((name for name in wanted if name in offered), None):
        return found
    raise TransportError(
        f"the server offers no login with {' or '.join(wanted)}, only: {', '.join(offered) or 'none'}",
        where=account.where,
        hint=account.provider.advice,
        permanent=True,
    )
