"""Services that Apprise knows, by real servers that answer as they do: what arrives, and what is known of the rest."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chatserver import CUT, HANG, ChatServer, proxied
from mailserver import MailServer

from reports.errors import SettingsError, TransportError
from reports.model import Artifact, Message, Receipt
from reports.settings import AppriseChannel
from reports.transports.chat import AppriseTransport, targets
from reports.transports.notes import Note, pack

BOOK = Artifact(name="cash flows.xlsx", media_type="application/x-test", content=b"PK\x03\x04book")
TEXT = "Cash is <low> & falling.\n\nLoan      Amount\nA_1*          12"
Make = Callable[..., AppriseChannel]


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as running:
        yield running


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> Make:
    """A channel of these URLs, each kept where a secret may be."""

    def make(*urls: str, **more: Any) -> AppriseChannel:
        for number, url in enumerate(urls):
            monkeypatch.setenv(f"REPORTS_TEST_URL_{number}", url)
        kept = [{"env": f"REPORTS_TEST_URL_{number}"} for number in range(len(urls))]
        return AppriseChannel.model_validate({"url": kept, "timeout": 5, **more})

    return make


def note(**changes: Any) -> Note:
    return Note(**{"title": "Cash is low", "text": TEXT, "tone": "bad", **changes})


def send(channel: AppriseChannel, said: Note, *, to: str = "") -> list[Receipt]:
    names = targets("push", channel, to)
    message = Message(
        message_id="<1@example.com>",
        date=dt.datetime(2026, 11, 2, 7, tzinfo=dt.UTC),
        sender="",
        recipients=names,
        subject=said.title,
        content=pack(said),
    )
    return list(AppriseTransport.opened("push", channel).send(message))


def only(receipts: list[Receipt]) -> Receipt:
    (receipt,) = receipts
    return receipt


# -- what arrives ----------------------------------------------------------------------------------------


def test_ntfy_gets_title_text_and_files(server: ChatServer, channel: Make) -> None:
    """Each topic by itself; the text goes with the first file."""
    push = channel(f"ntfy://{server.host}:{server.port}/alerts/night")
    assert [one.state for one in send(push, note())] == ["accepted", "accepted"]
    assert [one.values["topic"] for one in server.posts] == ["alerts", "night"]
    assert server.posts[0].values["title"] == "Cash is low"
    assert server.posts[0].values["message"] == TEXT
    send(push, note(files=[BOOK]), to="alerts")
    assert server.posts[-1].content == BOOK.content
    assert server.posts[-1].path.startswith("/alerts?filename=cash+flows.xlsx&title=Cash+is+low")


def test_a_webhook_of_ones_own_gets_json(server: ChatServer, channel: Make) -> None:
    """With the kind of message, and files as base64; nothing of it speaks of another product."""
    assert only(send(channel(f"json://{server.host}:{server.port}/hook"), note(files=[BOOK]))).state == "accepted"
    (post,) = server.posts
    assert (post.values["title"], post.values["message"], post.values["type"]) == ("Cash is low", TEXT, "failure")
    assert post.values["attachments"][0]["filename"] == "cash flows.xlsx"
    assert "apprise" not in (post.text + str(post.headers)).lower()


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("wecombot://BOTKEY-12345", "qyapi.weixin.qq.com", "/cgi-bin/webhook/send?key=BOTKEY-12345"),
        ("dingtalk://AbCdEf123456", "oapi.dingtalk.com", "/robot/send?access_token=AbCdEf123456"),
        ("feishu://AbCdEf123456abcdef", "open.feishu.cn", "/open-apis/bot/v2/hook/AbCdEf123456abcdef/"),
        ("lark://AbCdEf123456abcdef1234", "open.larksuite.com", "/open-apis/bot/v2/hook/AbCdEf123456abcdef1234"),
        ("workflows://prod.example.com/643a8bc7/s1gnature", "prod.example.com", "/workflows/643a8bc7/triggers/manual"),
        ("tgram://123456789:abcdefg_hijklmnop/12315544/", "api.telegram.org", "/bot123456789:abcdefg_hijklmnop/send"),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV", "discord.com", "/api/webhooks/4174216298/JHMHI8qBe7bk2"),
    ],
)
def test_the_services_addresses_are_reached_and_the_text_is_whole(
    server: ChatServer,
    channel: Make,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    url: str,
    host: str,
    path: str,
) -> None:
    """By TLS through a proxy, as in a company; a sign of HTML or Markdown in a text is shown and not obeyed."""
    with proxied(server, monkeypatch, tmp_path):
        receipt = only(send(channel(url), note()))
    (post,) = server.posts
    assert (receipt.state, receipt.text) == ("accepted", f"accepted by {host}")
    assert post.host == host
    assert post.path.startswith(path)
    said = post.text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("\\\\", "")
    assert "Cash is low" in said
    assert "Cash is <low> & falling." in said
    assert "A_1*" in said


def test_telegram_gets_html_that_it_can_show(
    server: ChatServer, channel: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Lines and columns as they are; a note's own HTML where that is plain; a page is left for those who show pages."""
    telegram = channel("tgram://123456789:abcdefg_hijklmnop/12315544/")
    with proxied(server, monkeypatch, tmp_path):
        send(telegram, note())
        send(telegram, note(html="<p>Cash is <b>low</b>.</p>"))
        send(telegram, note(html="<table><tr><td>12</td></tr></table>"))
    plain, simple, page = (one.values["text"].replace("\r\n", "\n") for one in server.posts)
    assert plain == "<b>Cash is low</b>\nCash is &lt;low&gt; &amp; falling.\n\nLoan      Amount\nA_1*          12"
    assert simple == "<b>Cash is low</b>\nCash is <b>low</b>."
    assert page == plain


def test_what_a_url_asks_for_is_done(server: ChatServer, channel: Make) -> None:
    """A format that the service knows, several messages for one that is too long, and what only the service has."""
    here = f"{server.host}:{server.port}"
    send(channel(f"json://{here}/hook?format=html"), note(html='<p>Cash</p><img src="cid:a" alt="Cash by month">'))
    assert server.posts[0].values["message"] == "<p>Cash</p>[Cash by month]"
    send(channel(f"json://{here}/hook?format=html"), note())
    assert server.posts[1].values["message"].startswith("Cash is &lt;low&gt; &amp; falling.<br/>")
    send(channel(f"ntfy://{here}/alerts?overflow=split&priority=max"), note(text="x " * 9_000))
    assert len(server.posts) > 3
    assert server.posts[2].headers["X-Priority"] == "max"
    assert "Shortened" not in server.posts[-1].text


def test_what_takes_no_files_names_them(server: ChatServer, channel: Make) -> None:
    """With where they are, or an address; or it is refused, where files may not be missing."""
    url = f"gotify://{server.host}:{server.port}/AbCdEfGhIjKlMnO"
    send(channel(url), note(files=[BOOK], whole="They are in the mail."))
    assert (
        server.posts[0]
        .values["message"]
        .endswith("1 file does not go by this channel: cash flows.xlsx (8 bytes). They are in the mail.")
    )
    send(channel(url, on_unsupported="link"), note(files=[BOOK], links={BOOK.name: "https://files.example.com/c.xlsx"}))
    assert server.posts[1].values["message"].endswith("cash flows.xlsx (8 bytes): https://files.example.com/c.xlsx")
    refused = only(send(channel(url, on_unsupported="fail"), note(files=[BOOK])))
    assert (refused.state, refused.text[:21]) == ("refused", "gotify takes no files")
    assert len(server.posts) == 2


def test_what_is_too_long_is_shortened_and_says_so(
    server: ChatServer, channel: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Within the service's own limit, which WeCom counts in bytes of UTF-8; whole lines, how many more, and where."""
    long = note(text="\n".join(f"第{number}行: 现金流" for number in range(500)), whole="All of it is in the mail.")
    with proxied(server, monkeypatch, tmp_path):
        send(channel("wecombot://BOTKEY-12345"), long)
    said = server.posts[0].values["text"]["content"]
    assert 1_900 < len(said.encode()) <= 2_048
    kept = said.count("现金流")
    assert said.endswith(f"现金流\n\nShortened: {500 - kept} more lines. All of it is in the mail.")


def test_one_line_that_is_too_long_is_cut(server: ChatServer, channel: Make) -> None:
    """A text without ends of lines has a beginning all the same."""
    send(channel(f"ntfy://{server.host}:{server.port}/alerts"), note(text="x" * 20_000))
    said = server.posts[0].values["message"]
    assert len(said.encode()) <= 4_096
    assert said.startswith("x" * 3_900)
    assert said.endswith("…\n\nShortened.")


# -- what is known ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "state", "code", "says"),
    [
        ((401, '{"error":"unauthorized"}', {}), "refused", 401, "unauthorized"),
        ((404, "", {}), "refused", 404, "error=404"),
        ((413, '{"error":"too large"}', {}), "refused", 413, "too large"),
        ((429, '{"error":"slow down"}', {"Retry-After": "77"}), "deferred", 429, "slow down"),
        ((503, "", {}), "deferred", 503, "503"),
        ((302, "", {"Location": "http://127.0.0.1:1/elsewhere"}), "refused", 302, "error=302"),
    ],
)
def test_an_answer_is_told_as_it_was(
    server: ChatServer, channel: Make, answer: Any, state: str, code: int, says: str
) -> None:
    """With the server's words; where it names a wait, that one; nobody is led elsewhere with a secret in hand."""
    server.answers["/"] = answer
    receipt = only(send(channel(f"ntfy://{server.host}:{server.port}/alerts"), note()))
    assert (receipt.state, receipt.code, receipt.retry_after) == (state, code, 77 if code == 429 else None)
    assert says in receipt.text
    assert bool(receipt.hint) == (state == "refused")
    assert len(server.posts) == 1


@pytest.mark.parametrize(
    ("url", "path", "said", "state"),
    [
        ("wecombot://BOTKEY-12345", "/cgi-bin", '{"errcode":93000,"errmsg":"invalid webhook url"}', "refused"),
        ("wecombot://BOTKEY-12345", "/cgi-bin", '{"errcode":45009,"errmsg":"api freq out of limit"}', "deferred"),
        ("dingtalk://AbCdEf123456", "/robot", '{"errcode":310000,"errmsg":"keywords not in content"}', "refused"),
        ("dingtalk://AbCdEf123456", "/robot", '{"errcode":130101,"errmsg":"send too fast"}', "deferred"),
        ("feishu://AbCdEf123456abcdef", "/open-apis", '{"code":19001,"msg":"param invalid"}', "refused"),
        ("feishu://AbCdEf123456abcdef", "/open-apis", '{"code":11232,"msg":"frequency limited"}', "deferred"),
    ],
)
def test_a_robot_that_says_no_in_a_good_answer_is_heard(
    server: ChatServer,
    channel: Make,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    url: str,
    path: str,
    said: str,
    state: str,
) -> None:
    """200 with a code of an error is no success, though the plugin takes it for one."""
    server.answers[path] = (200, said, {})
    with proxied(server, monkeypatch, tmp_path):
        receipt = only(send(channel(url), note()))
    assert (receipt.state, receipt.code) == (state, 200)
    assert receipt.text in {f"{code}: {words}" for code, words in [_parts(said)]}


def _parts(said: str) -> tuple[str, str]:
    numbers, words = said.partition(",")[0].rpartition(":")[2], said.rpartition(":")[2].strip('"}')
    return numbers, words


def test_a_lost_answer_is_unknown_and_a_lost_connection_is_not(server: ChatServer, channel: Make) -> None:
    """After the last byte nobody can know; before the first, it is tried again."""
    push = channel(f"json://{server.host}:{server.port}/hook", timeout=1)
    server.answers["/"] = CUT
    assert only(send(push, note())).state == "unknown"
    server.answers["/"] = HANG
    waited = only(send(push, note()))
    assert waited.state == "unknown"
    assert "no answer after the whole message had gone" in waited.text
    with ChatServer() as gone:
        pass
    with pytest.raises(TransportError, match="Connection refused") as caught:
        send(channel(f"json://{gone.host}:{gone.port}/hook"), note())
    assert not caught.value.permanent


def test_one_target_that_fails_does_not_hide_the_others(server: ChatServer, channel: Make) -> None:
    """Each has its own answer, also where one cannot even be reached."""
    with ChatServer() as gone:
        pass
    server.answers["/forbidden"] = (403, "", {})
    here = f"{server.host}:{server.port}"
    push = channel(f"json://{here}/hook", f"json://{gone.host}:{gone.port}/", f"json://{here}/forbidden")
    found = send(push, note())
    assert [one.state for one in found] == ["accepted", "deferred", "refused"]
    assert "may not post there" in found[2].hint


def test_a_part_that_was_taken_is_not_sent_again_unasked(server: ChatServer, channel: Make) -> None:
    """The message is there, its file is not: nobody but a person can say whether to send it anew."""
    server.answers["/_matrix/media"] = (413, "{}", {})
    receipt = only(send(channel(f"matrix://u:pass@{server.host}:{server.port}/!room:localhost"), note(files=[BOOK])))
    assert receipt.state == "unknown"
    assert "a part of it was taken" in receipt.hint


def test_a_target_that_settings_no_longer_have_is_refused(server: ChatServer, channel: Make) -> None:
    """With those that there are."""
    push = channel(f"ntfy://{server.host}:{server.port}/alerts")
    message = Message(
        message_id="1",
        date=dt.datetime.now(dt.UTC),
        sender="",
        recipients=["ntfy old"],
        subject="x",
        content=pack(note()),
    )
    (receipt,) = AppriseTransport.opened("push", push).send(message)
    assert (receipt.state, receipt.text) == ("refused", "[channels.push] has no such target any more")
    assert f"ntfy {server.host}:{server.port} alerts" in receipt.hint


def test_what_speaks_no_http_says_only_whether_it_was_content(channel: Make) -> None:
    """A mail server by Apprise: taken, or tried again, for more nobody is told."""
    with MailServer(security="none") as mails:
        by_mail = channel(f"mailto://{mails.host}:{mails.port}?from=me@example.com&to=ann@example.com&format=html")
        taken = only(send(by_mail, note(html="<p>Cash is <b>low</b>.</p>", files=[BOOK])))
        assert (taken.state, taken.text) == ("accepted", "accepted")
        (mail,) = mails.messages
        assert mail.recipients == ("ann@example.com",)
        assert b"Cash is <b>low</b>." in mail.content
        mails.replies["RCPT"] = "550 5.1.1 nobody here"
        with pytest.raises(TransportError, match=r"connection error|failed") as caught:
            send(by_mail, note())
    assert not caught.value.permanent


# -- secrets ---------------------------------------------------------------------------------------------


def test_no_secret_is_in_a_name_an_answer_or_a_log(
    server: ChatServer, channel: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the server repeats it."""
    server.answers["/"] = (403, '{"error":"the login correct-horse is wrong"}', {})
    server.answers["/message"] = server.answers["/t0p"] = (403, '{"error":"the token t0psecret-token is wrong"}', {})
    urls = [
        f"ntfy://ann:correct-horse@{server.host}:{server.port}/alerts",
        f"gotify://{server.host}:{server.port}/t0psecret-token",
        f"json://ann:correct-horse@{server.host}:{server.port}/t0psecret-token",
    ]
    with caplog.at_level(logging.DEBUG, logger="apprise"):
        receipts = send(channel(*urls), note())
    assert {one.state for one in receipts} == {"refused"}
    shown = " ".join([*(str(one) for one in receipts), *caplog.messages, repr(channel(*urls))])
    assert "is wrong" in shown
    for secret in ("correct-horse", "t0psecret-token"):
        assert secret not in shown


def test_a_url_that_is_none_is_told_without_being_shown(channel: Make) -> None:
    """The nearest service is named; what a plugin does not want is in its own words, without the secret."""
    with pytest.raises(SettingsError, match="no service is known by 'nfty://'") as caught:
        targets("push", channel("nfty://secret-place"))
    assert "did you mean 'ntfy'?" in caught.value.hint
    assert "secret-place" not in str(caught.value)
    with pytest.raises(SettingsError) as wrong:
        AppriseTransport.opened("push", channel("wecombot://not+a+key")).takes()
    assert "not+a+key" not in str(wrong.value)
    assert wrong.value.what.startswith("wecombot:// does not take this URL: An invalid")
    assert "***" in wrong.value.what
    with pytest.raises(SettingsError, match="this is not how a URL of tgram:// is written") as unread:
        targets("push", channel("tgram://not-a-bot-token/12"))
    assert "not-a-bot-token" not in str(unread.value)
    assert "http" in unread.value.hint
    with pytest.raises(SettingsError, match="begins with a scheme"):
        targets("push", channel("secret-place"))
    with pytest.raises(SettingsError, match="no service knows this web address"):
        targets("push", channel("https://example.com/secret-place"))


def test_a_plugin_that_cannot_work_here_says_what_it_lacks(channel: Make) -> None:
    """A library of its own, by the command that brings it; told by a check, before anything is sent."""
    with pytest.raises(SettingsError, match=r"blink1:// cannot be used on this system as it is") as caught:
        AppriseTransport.opened("push", channel("blink1://")).takes()
    assert caught.value.hint.startswith('pip install "hidapi')
    with pytest.raises(TransportError, match=r"^url: blink1:// cannot be used"):
        list(AppriseTransport.opened("push", channel("blink1://")).check())


def test_a_secret_is_never_written_in_the_file(server: ChatServer) -> None:
    """A URL without one may be."""
    open_topic = AppriseChannel(url=(f"ntfy://{server.host}:{server.port}/alerts",))
    assert targets("push", open_topic) == [f"ntfy {server.host}:{server.port} alerts"]
    for url in ("ntfy://ann:pass-word@localhost/alerts", "wecombot://BOTKEY-12345"):
        with pytest.raises(SettingsError, match="holds a secret, which is never written here"):
            targets("push", AppriseChannel(url=(url,)))


# -- names -----------------------------------------------------------------------------------------------


def test_names_are_readable_stable_and_each_other_s_own(channel: Make) -> None:
    """Scheme, host of one's own, place; a private place shows its first and last letter alone."""
    push = channel(
        "ntfy://ann:pass-word@ntfy.example.com/alerts/night",
        "ntfys://alerts",
        "tgram://123456789:abcdefg_hijklmnop/12315544/",
        "wecombot://BOTKEY-12345",
        "wecombot://BOTKEY-67890",
        "bark://bark.example.com/s3cretdevice",
        "mailto://me:pass-word@example.com?to=ann@example.com,bob@example.com",
        "https://prod-12.westus.logic.azure.com:443/workflows/643a8bc7f0/triggers/manual/paths/invoke?"
        "api-version=2016-06-01&sp=%2Ftriggers&sv=1.0&sig=abcXYZ",
    )
    names = list(targets("push", push))
    assert names == [
        "ntfy ntfy.example.com alerts",
        "ntfy ntfy.example.com night",
        "ntfys alerts",
        "tgram 12315544",
        "wecombot",
        "wecombot (2)",
        "bark bark.example.com s...e",
        "mailto example.com ann@example.com",
        "mailto example.com bob@example.com",
        "workflow prod-12.westus.logic.azure.com:443",
    ]
    assert list(targets("push", push)) == names


def test_a_place_is_a_target_by_its_name_its_place_or_its_service(channel: Make) -> None:
    """Those of `to` where none is named; one that is nowhere is told with the nearest."""
    urls = ["ntfy://ntfy.example.com/alerts/night", "tgram://123456789:abcdefg_hijklmnop/12315544/"]
    push = channel(*urls)
    assert targets("push", push, "night") == ["ntfy ntfy.example.com night"]
    assert targets("push", push, "tgram") == ["tgram 12315544"]
    assert targets("push", push, "tgram 12315544") == ["tgram 12315544"]
    assert targets("push", channel(*urls, to="alerts")) == ["ntfy ntfy.example.com alerts"]
    with pytest.raises(SettingsError, match="'push' has no target 'nigth'") as caught:
        targets("push", push, "nigth")
    assert "tgram 12315544" in caught.value.hint


def test_each_target_has_its_pace(channel: Make) -> None:
    """Twenty a minute, as the robots take; a server of one's own takes what comes."""
    two = AppriseTransport.opened("push", channel("wecombot://BOTKEY-12345", "ntfy://ntfy.example.com/alerts"))
    assert (two.limits.messages_per_minute, two.limits.recipients) == (40, 1)
    own = AppriseTransport.opened("push", channel("json://hooks.example.com/reports"))
    assert (own.limits.messages_per_minute, own.limits.recipients) == (None, 1)


# -- a check ---------------------------------------------------------------------------------------------


def test_a_check_says_what_there_is_and_posts_nothing(server: ChatServer, channel: Make) -> None:
    """Each target, whether its server is there, and what it takes."""
    push = channel(
        f"ntfy://{server.host}:{server.port}/alerts", f"gotify://{server.host}:{server.port}/AbCdEfGhIjKlMnO"
    )
    found = dict(AppriseTransport.opened("push", push).check())
    here = f"{server.host}:{server.port}"
    assert found["url"] == f"ntfy {here} alerts; gotify {here}"
    assert found["reach"] == f"{here} answers"
    assert found["takes"] == f"ntfy {here} alerts: text; files; gotify {here}: text; no files"
    assert server.posts == []


def test_a_check_of_a_server_that_is_away_names_it(channel: Make) -> None:
    """And the step."""
    with ChatServer() as gone:
        pass
    push = channel(f"ntfy://{gone.host}:{gone.port}/alerts")
    with pytest.raises(TransportError, match=rf"reach: {gone.host}:{gone.port} does not answer") as caught:
        list(AppriseTransport.opened("push", push).check())
    assert caught.value.where == f"target ntfy {gone.host}:{gone.port} alerts"
