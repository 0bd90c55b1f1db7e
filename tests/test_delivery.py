"""The right half of the flow, against a store on disk and real mail servers."""

from __future__ import annotations

import _thread
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mailserver import MailServer, Peer, ScriptedServer

from reports.app import App
from reports.delivery import Sender, outcome, wait
from reports.model import UNKNOWN_WAIT, Delivery, Message, Outgoing, Parcel, Receipt, Run
from reports.settings import Mail, Settings
from reports.settings import Store as StoreSettings
from reports.store import Store, open_store
from reports.transports import open_transport

NOW = dt.datetime(2026, 11, 2, 7, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@dataclass
class Clock:
    """A clock that is moved by hand."""

    now: dt.datetime = NOW
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> dt.datetime:
        return self.now

    def pause(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += dt.timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(StoreSettings(), tmp_path)
    yield opened
    opened.close()


def message(number: int, recipients: Sequence[str]) -> Message:
    return Message(
        message_id=f"<{number}@example.com>",
        date=NOW,
        sender="me@example.com",
        recipients=recipients,
        subject=f"Report {number}",
        content=f"Message-ID: <{number}@example.com>\r\nSubject: Report {number}\r\n\r\nbody\r\n".encode(),
    )


def fill(store: Store, *recipients: Sequence[str], on_unknown: Any = "hold", expires: dt.timedelta = DAY) -> list[str]:
    """A run each with one message to those recipients; their Message-IDs."""
    for number, names in enumerate(recipients):
        run = Run(id=f"run{number}", job="daily", as_of=NOW.date(), started=NOW)
        assert store.runs.start(run, owner="me", until=NOW + DAY)
        out = Outgoing(message=message(number, names), kind="report", expires=NOW + expires, on_unknown=on_unknown)
        done = replace(run, state="succeeded", finished=NOW)
        store.runs.succeed(done, owner="me", artifacts=(), messages=[out])
    return [f"<{number}@example.com>" for number in range(len(recipients))]


def states(store: Store) -> dict[str, str]:
    return {one.recipient: one.state for one in store.outbox.deliveries(every=True)}


MakeSender = Callable[..., Sender]


@pytest.fixture
def sender(store: Store, clock: Clock, tmp_path: Path) -> MakeSender:
    """A sender to a server, with more said about `[mail]` or about itself."""

    def make(server: MailServer | ScriptedServer, *, owner: str = "sender", **mail: Any) -> Sender:
        values = {"security": "none", "sender": "me@example.com", "timeout": 5} | mail
        if isinstance(server, MailServer) and server.security != "none":
            values |= {"security": server.security, "ca_file": server.ca_file}
        account = Mail(host=server.host, port=server.port, **values)
        return Sender(
            store=store,
            transport=open_transport(account, tmp_path),
            mail=account,
            owner=owner,
            clock=clock,
            pause=clock.pause,
        )

    return make


# -- the policy, which is pure ----------------------------------------------------------------------


@given(st.integers(1, 200), st.text(max_size=20))
def test_waits_grow_to_an_hour_and_stay_there(attempts: int, key: str) -> None:
    """Between four fifths of a minute and six fifths of an hour, and the same for the same delivery."""
    pause = wait(attempts, key=key)
    assert dt.timedelta(seconds=48) <= pause <= dt.timedelta(minutes=72)
    assert pause == wait(attempts, key=key)


def test_waits_are_spread() -> None:
    """A server that comes back does not meet everybody at once."""
    assert len({wait(1, key=str(number)) for number in range(50)}) > 45


def parcel(**changes: Any) -> tuple[Parcel, Delivery]:
    delivery = Delivery(
        id=7, message_id="<1@example.com>", run="r", job="daily", kind="report", subject="s", recipient="a@example.com",
        state="sending", expires=NOW + DAY,
    )  # fmt: skip
    whole = Parcel(
        message_id="<1@example.com>", run="r", job="daily", kind="report", date=NOW, sender="me@example.com",
        subject="s", content="0" * 64, size=10, expires=NOW + DAY, on_unknown="hold", deliveries=[delivery],
    )  # fmt: skip
    return replace(whole, **changes), delivery


@pytest.mark.parametrize("state", ["accepted", "refused", "unknown"])
def test_what_is_settled_is_not_tried_again(state: Any) -> None:
    """No next attempt, and the server's words are kept."""
    told = outcome(*parcel(), Receipt(recipient="a@example.com", state=state, text="words"), started=NOW, now=NOW)
    assert (told.state, told.next_attempt, told.text) == (state, None, "words")


def test_a_deferred_delivery_waits_as_long_as_the_server_says() -> None:
    """Else by itself."""
    named = Receipt(recipient="a@example.com", state="deferred", retry_after=120)
    told = outcome(*parcel(), named, started=NOW, now=NOW)
    assert (told.state, told.next_attempt) == ("pending", NOW + dt.timedelta(minutes=2))
    unnamed = outcome(*parcel(), replace(named, retry_after=None), started=NOW, now=NOW)
    assert unnamed.next_attempt == NOW + wait(1, key="<1@example.com>")


@pytest.mark.parametrize("asked", [0, 1, 29])
def test_a_server_is_not_asked_again_at_once_even_if_it_says_so(asked: float) -> None:
    """Save for recipients who were only too many for one message."""
    deferred = Receipt(recipient="a@example.com", state="deferred", code=429, retry_after=asked)
    told = outcome(*parcel(), deferred, started=NOW, now=NOW)
    assert told.next_attempt == NOW + dt.timedelta(seconds=30)
    many = outcome(*parcel(), replace(deferred, code=452), started=NOW, now=NOW)
    assert many.next_attempt == NOW + dt.timedelta(seconds=asked)


def test_no_attempt_is_planned_after_the_report_is_stale() -> None:
    """At that instant it expires."""
    soon, delivery = parcel(expires=NOW + dt.timedelta(seconds=5))
    told = outcome(soon, delivery, Receipt(recipient="a@example.com", state="deferred"), started=NOW, now=NOW)
    assert told.next_attempt == soon.expires


def test_an_unknown_outcome_is_sent_again_only_where_settings_say_so() -> None:
    """And then not at once: the first copy may be on its way."""
    resend, delivery = parcel(on_unknown="resend")
    told = outcome(resend, delivery, Receipt(recipient="a@example.com", state="unknown"), started=NOW, now=NOW)
    assert told.state == "pending"
    assert told.next_attempt is not None
    assert told.next_attempt >= NOW + UNKNOWN_WAIT


# -- sending ------------------------------------------------------------------------------------------


def test_everybody_gets_the_stored_bytes_over_one_connection(store: Store, sender: MakeSender) -> None:
    """Three messages, one connection, and the ledger says what the server said."""
    fill(store, ["a@example.com", "b@example.com"], ["c@example.com"], ["d@example.com"])
    with MailServer(security="none") as server:
        sender(server).drain()
    assert [one.content for one in server.messages] == [message(n, ()).content for n in range(3)]
    assert states(store) == dict.fromkeys(
        ("a@example.com", "b@example.com", "c@example.com", "d@example.com"), "accepted"
    )
    assert all("queued as 4711" in one.last_reply for one in store.outbox.deliveries(every=True))


def test_only_those_who_failed_are_tried_again(store: Store, sender: MakeSender, clock: Clock) -> None:
    """One bad recipient does not mail everybody again: the same message, only to the one who was deferred."""
    fill(store, ["good@example.com", "busy@example.com", "gone@example.com"])
    replies = {"RCPT busy@example.com": "451 4.3.0 try later", "RCPT gone@example.com": "550 5.1.1 nobody here"}
    with MailServer(security="none", replies=replies) as server:
        sender(server).drain()
        assert states(store) == {
            "good@example.com": "accepted",
            "busy@example.com": "pending",
            "gone@example.com": "refused",
        }
        server.replies.clear()
        sender(server).drain()
        assert len(server.messages) == 1, "not before it is due"
        clock.now += dt.timedelta(minutes=2)
        sender(server).drain()
    first, second = server.messages
    assert second.recipients == ("busy@example.com",)
    assert second.content == first.content
    assert states(store)["busy@example.com"] == "accepted"


def test_what_nobody_takes_expires(store: Store, sender: MakeSender, clock: Clock) -> None:
    """A report of nine o'clock is noise at midnight."""
    fill(store, ["a@example.com"], expires=dt.timedelta(minutes=5))
    with MailServer(security="none", replies={"RCPT": "451 4.3.0 try later"}) as server:
        for _ in range(6):
            sender(server).drain()
            clock.now += dt.timedelta(minutes=2)
        sender(server).drain()
    (delivery,) = store.outbox.deliveries(every=True)
    assert delivery.state == "expired"
    assert delivery.attempts >= 2
    assert "451" in delivery.last_reply


def test_a_refused_login_is_tried_once_for_all_that_waits(store: Store, sender: MakeSender, monkeypatch: Any) -> None:
    """Many messages, one attempt: a second one locks accounts."""
    monkeypatch.setenv("MAIL_PASSWORD", "wrong")
    fill(store, *[[f"{n}@example.com"] for n in range(5)])
    with MailServer(users={"me@example.com": "right"}) as server:
        sender(server, user="me@example.com", password={"env": "MAIL_PASSWORD"}).drain()
    assert len(server.logins) == 1
    assert set(states(store).values()) == {"refused"}
    tries = sorted(one.attempts for one in store.outbox.deliveries(every=True))
    assert tries == [0, 0, 0, 0, 1]


def test_a_server_that_is_away_is_asked_once_a_round(store: Store, sender: MakeSender) -> None:
    """The others wait as well, and it is not counted as an attempt of theirs."""
    fill(store, *[[f"{n}@example.com"] for n in range(5)])
    with MailServer(security="none") as server:
        pass
    sender(server).drain()
    found = store.outbox.deliveries(every=True)
    assert {one.state for one in found} == {"pending"}
    assert sorted(one.attempts for one in found) == [0, 0, 0, 0, 1]
    assert all(one.next_attempt and one.next_attempt > NOW for one in found)


def test_a_connection_lost_after_the_final_dot_is_unknown(store: Store, sender: MakeSender, clock: Clock) -> None:
    """Shown, never guessed, and not sent again by itself."""

    def drop_after_the_dot(peer: Peer) -> None:
        peer.until_content()
        peer.take_content()
        taken.append(1)

    taken: list[int] = []
    fill(store, ["a@example.com"])
    with ScriptedServer(drop_after_the_dot) as server:
        sender(server).drain()
        clock.now += dt.timedelta(hours=5)
        sender(server).drain()
    assert states(store) == {"a@example.com": "unknown"}
    assert taken == [1]


def test_messages_a_minute_are_kept_by_all_senders_together(store: Store, sender: MakeSender, clock: Clock) -> None:
    """Microsoft takes thirty a minute: the fourth message goes six seconds after the first."""
    fill(store, *[[f"{n}@example.com"] for n in range(4)])
    with MailServer(security="none") as server:
        sender(server, provider="m365", auth="none").drain()
    assert len(server.messages) == 4
    assert sum(clock.slept) == pytest.approx(6, abs=0.01)


def test_altered_bytes_are_never_sent(store: Store, sender: MakeSender, tmp_path: Path) -> None:
    """The hash is checked before each sending, and the delivery says why it was refused."""
    fill(store, ["a@example.com"])
    (stored,) = [path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()]
    stored.chmod(0o600)
    stored.write_bytes(b"something else")
    with MailServer(security="none") as server:
        sender(server).drain()
    assert server.messages == []
    (delivery,) = store.outbox.deliveries(every=True)
    assert delivery.state == "refused"
    assert "not sent" in delivery.last_reply


def test_an_address_that_is_not_allowed_any_more_is_held(store: Store, sender: MakeSender) -> None:
    """Settings are asked at the moment of sending."""
    fill(store, ["in@example.com", "out@elsewhere.test"])
    with MailServer(security="none") as server:
        sender(server, allow=["*@example.com"]).drain()
    assert [one.recipients for one in server.messages] == [("in@example.com",)]
    assert states(store) == {"in@example.com": "accepted", "out@elsewhere.test": "held"}


def test_a_copy_of_production_does_not_mail_its_people(store: Store, sender: MakeSender) -> None:
    """Under `redirect`, what was addressed before it is held."""
    fill(store, ["cfo@example.com"], [["Dev ", "dev@example.com>"][1].rstrip(">")])
    with MailServer(security="none") as server:
        sender(server, redirect="Dev <dev@example.com>").drain()
    assert [one.recipients for one in server.messages] == [("dev@example.com",)]
    assert states(store)["cfo@example.com"] == "held"


def test_a_sender_that_lost_its_lease_sends_nothing(store: Store, sender: MakeSender, clock: Clock) -> None:
    """It is stopped right before the step that cannot be taken back."""
    fill(store, ["a@example.com"])
    late = store.outbox.claim(now=clock(), owner="late", until=clock() + dt.timedelta(minutes=1), limit=10)
    clock.now += dt.timedelta(minutes=2)
    store.outbox.take_up(clock())
    with MailServer(security="none") as server:
        zombie = sender(server, owner="late")
        zombie._send(late[0])
        assert server.messages == []
        sender(server).drain()
    assert len(server.messages) == 1
    assert states(store) == {"a@example.com": "accepted"}


def test_what_a_stopped_sender_had_only_claimed_waits_again(store: Store, sender: MakeSender) -> None:
    """Stopping loses nothing and waits for no lease."""
    fill(store, *[[f"{n}@example.com"] for n in range(3)])
    with MailServer(security="none") as server:
        one = sender(server)
        one.pause = lambda _: None
        one._claim("")
        one.stop.set()
        one.drain()
        assert server.messages == []
        sender(server, owner="next").drain()
    assert len(server.messages) == 3


def test_only_the_named_run_is_sent(store: Store, sender: MakeSender) -> None:
    """A run by hand does not wait for the backlog of others."""
    fill(store, ["a@example.com"], ["b@example.com"])
    with MailServer(security="none") as server:
        sender(server).drain("run1")
    assert [one.recipients for one in server.messages] == [("b@example.com",)]
    assert states(store)["a@example.com"] == "pending"


def test_stopping_in_the_midst_of_a_message_leaves_it_unknown(store: Store, sender: MakeSender) -> None:
    """It may have arrived; what comes after it was not begun and waits."""

    def stop_us(peer: Peer) -> None:
        peer.until_content()
        peer.take_content()
        _thread.interrupt_main()
        peer.sleep()

    fill(store, ["a@example.com"], ["b@example.com"])
    with ScriptedServer(stop_us) as server, pytest.raises(KeyboardInterrupt):
        sender(server).drain()
    assert states(store) == {"a@example.com": "unknown", "b@example.com": "pending"}


def test_several_connections_share_the_work(store: Store, tmp_path: Path, clock: Clock) -> None:
    """As many as settings say, and nobody gets two."""
    fill(store, *[[f"{n}@example.com"] for n in range(150)])
    store.close()
    with MailServer(security="none") as server:
        values = {"host": server.host, "port": server.port, "security": "none", "from": "me@example.com"}
        settings = Settings.model_validate(
            {"data": ".", "mail": values | {"connections": 3}}, context={"root": tmp_path}
        )
        with closing(App(settings, clock=clock)) as app:
            app.deliver()
            assert set(states(app.store).values()) == {"accepted"}
    assert server.connections == 3
    assert sorted(one.recipients[0] for one in server.messages) == sorted(f"{n}@example.com" for n in range(150))


def test_a_server_that_takes_few_recipients_gets_them_in_turns(store: Store, sender: MakeSender, clock: Clock) -> None:
    """452 after the first: the others go at once in messages of their own, and nobody waits for a minute."""
    taken: list[str] = []

    def takes_one(peer: Peer) -> None:
        peer.greet()
        while line := peer.hear():
            verb = line.partition(" ")[0]
            if verb == "MAIL":
                named: list[str] = []
            if verb == "RCPT":
                named.append(line)
            if verb == "DATA":
                peer.say("354 go on")
                peer.take_content()
                taken.append(named[0])
            peer.say("452 4.5.3 too many recipients" if verb == "RCPT" and len(named) > 1 else "250 ok")

    fill(store, ["a@example.com", "b@example.com", "c@example.com"])
    with ScriptedServer(takes_one) as server:
        sender(server).drain()
    assert taken == [f"RCPT TO:<{name}@example.com>" for name in "abc"]
    assert set(states(store).values()) == {"accepted"}
    assert sum(clock.slept) == pytest.approx(2)
