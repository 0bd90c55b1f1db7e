"""The table of services in the documentation says what is so: each URL is taken, and what it says of each holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reports.settings import AppriseChannel
from reports.transports.base import nothing
from reports.transports.chat import AppriseTransport
from reports.transports.chat.bodies import IN_BYTES, formats
from reports.transports.chat.exchanges import Exchanges

EXAMPLES = {
    "Microsoft Teams, by a workflow": "workflows://prod.example.com/643a8bc7/s1gnature",
    "WeCom, a group robot": "wecombot://BOTKEY-12345",
    "DingTalk, a group robot": "dingtalk://SECabcdef@AbCdEf123456",
    "Feishu, a group robot": "feishu://AbCdEf123456abcdef",
    "Lark, a group robot": "lark://AbCdEf123456abcdef1234",
    "Telegram": "tgram://123456789:abcdefg_hijklmnop/12315544/",
    "ntfy": "ntfys://tk_abcdefghij@ntfy.example.com/alerts",
    "Discord": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV",
    "Matrix": "matrixs://ann:pass-word@matrix.example.com/#room",
    "Mattermost": "mmosts://chat.example.com/abcdefgh12345678abcdefgh12",
    "Rocket.Chat": "rockets://ann:pass-word@chat.example.com/#general",
    "Google Chat": "gchat://workspace1/webhookkey1/webhooktoken1",
    "Gotify": "gotifys://gotify.example.com/AbCdEfGhIjKlMnO",
    "Bark": "barks://bark.example.com/s3cretdevice",
    "Pushover": "pover://uuuuuuuuuuuuuuuuuuuuuuuuuuuuuu@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "PushPlus": "pushplus://abcdef0123456789abcdef0123456789",
    "ServerChan": "schan://SCT123456abcdef",
    "WxPusher": "wxpusher://AT_appid/UID_1",
    "Signal, by its REST server": "signals://signal.example.com/+15551234567/+15557654321",
    "Zulip": "zulip://botname@example/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/general",
    "a mail server": "mailtos://me:pass-word@example.com?to=ann@example.com",
    "a webhook of one's own, as JSON": "jsons://hooks.example.com/reports",
}


def table() -> dict[str, list[str]]:
    """The rows of the table, by service."""
    text = (Path(__file__).parents[3] / "docs" / "channels.md").read_text("utf-8")
    part = text.partition("## Services by URL")[2].partition("```")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|")]
    return {row[0]: row[1:] for row in rows[2:]}


def test_every_service_of_the_table_has_an_example() -> None:
    """And the other way round."""
    assert set(table()) == set(EXAMPLES)


@pytest.mark.parametrize("service", EXAMPLES)
def test_the_table_says_what_is_so(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scheme, whether files go, which formats are shown, and how much fits."""
    monkeypatch.setenv("REPORTS_TEST_URL", EXAMPLES[service])
    channel = AppriseChannel.model_validate({"url": {"env": "REPORTS_TEST_URL"}})
    (target,) = AppriseTransport.opened("push", channel).targets.values()
    made = target.plugin(Exchanges(timeout=1, handing_over=nothing)).made
    url, files, shows, most = table()[service]
    assert re.findall(r"`([a-z]+)://", url)[0].removesuffix("s") == target.schema.removesuffix("s")
    assert files == ("yes" if made.attachment_support else "no")
    named = {"html": "HTML", "markdown": "Markdown", "text": "text"}
    assert shows == ", ".join(named[one] for one in formats(made))
    limit = IN_BYTES.get(target.schema)
    assert most == (f"{limit:,} bytes" if limit else f"{made.body_maxlen:,}")
