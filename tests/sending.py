"""What tests that send by SMTP have in common: who logs in, and the error of a send that fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reports.errors import TransportError
from reports.model import Message
from reports.settings import Mail
from reports.transports.smtp import SmtpTransport

MakeSmtp = Callable[..., SmtpTransport]
MakeMail = Callable[..., Mail]
MakeMessage = Callable[..., Message]
USER, PASSWORD, WRONG = "me@example.com", "correct horse", "wrong horse"
TOKEN, STALE = "ya29.token", "ya28.stale"


def failure(sender: SmtpTransport, message: Message) -> TransportError:
    with pytest.raises(TransportError) as caught:
        sender.send(message)
    return caught.value
