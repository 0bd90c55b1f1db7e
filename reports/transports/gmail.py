"""Messages by the Gmail API: the same bytes as by SMTP, and a right to send that cannot read."""

from __future__ import annotations

from typing import ClassVar

from reports.transports.api import Api
from reports.transports.base import HandingOver
from reports.transports.https import Answer

_TOO_MUCH = ("rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded", "quotaExceeded")


class GmailTransport(Api):
    """Sends as the account that is signed in, or that the service account stands for."""

    name: ClassVar[str] = "Gmail"
    permission: ClassVar[str] = (
        "the token lacks the scope gmail.send, or the Gmail API is switched off in the project of the app: "
        "mend that, then run `reports login` again"
    )

    @property
    def _own_page(self) -> str:
        return f"{self.account.api}/gmail/v1/users/me/profile"

    def _post(self, content: bytes, handing_over: HandingOver) -> Answer:
        return self._ask(
            "POST",
            f"{self.account.api}/upload/gmail/v1/users/me/messages/send?uploadType=media",
            body=content,
            headers={"Content-Type": "message/rfc822"},
            final_wait=self.final_wait,
            handing_over=handing_over,
        )

    def _accepted(self, answer: Answer) -> str:
        return f"{super()._accepted(answer)} as {answer.values.get('id', 'a message without an id')}"

    def _is_throttling(self, answer: Answer) -> bool:
        error = answer.values.get("error")
        details = error.get("errors") if isinstance(error, dict) else None
        reasons = [detail.get("reason") for detail in details if isinstance(detail, dict)] if details else []
        return super()._is_throttling(answer) or (answer.code == 403 and any(one in _TOO_MUCH for one in reasons))
