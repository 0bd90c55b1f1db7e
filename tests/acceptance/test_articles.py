"""What five articles show people, as they would write it: scripts of their own, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from mailserver import MailServer
from slackserver import SlackServer

USER, CODE = "somebody@qq.com", "jzvxyqwertyuiopa"


class Script:
    """A script of somebody's, in a folder of its own, with nothing but its environment to know an account by."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("REPORTS_", "MAIL_", "SLACK_"))
        }
        self.environment = {**kept, "REPORTS_DATA": str(folder / "data"), **environment}

    def begin(self, text: str) -> subprocess.Popen[str]:
        """The script at work."""
        path = self.folder / "script.py"
        path.write_text(textwrap.dedent(text), "utf-8")
        return subprocess.Popen(
            [sys.executable, str(path)], cwd=self.folder, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, text: str) -> str:
        """What it printed; it must have ended well."""
        going = self.begin(text)
        said, complained = going.communicate(timeout=120)
        assert going.returncode == 0, complained
        return said


def mails(server: MailServer) -> list[EmailMessage]:
    return [message_from_bytes(one.content, policy=default) for one in server.messages]  # type: ignore[arg-type]


def part(mail: EmailMessage, kind: str) -> str:
    """Its text in that form."""
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


def files(mail: EmailMessage) -> dict[str, bytes]:
    """Its attachments by name."""
    return {part.get_filename() or "": part.get_payload(decode=True) for part in mail.iter_attachments()}


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer(users={USER: CODE}, mechanisms=("LOGIN", "PLAIN")) as running:
        yield running


def account(server: MailServer) -> dict[str, str]:
    return {
        "REPORTS_HOST": server.host, "REPORTS_PORT": str(server.port), "REPORTS_CA_FILE": server.ca_file,
        "REPORTS_USER": USER, "REPORTS_PASSWORD": CODE, "REPORTS_FROM": f"Me <{USER}>",
    }  # fmt: skip


@pytest.fixture
def script(tmp_path: Path, server: MailServer) -> Script:
    return Script(tmp_path, account(server))


def test_a_message_with_several_images_and_attachments(script: Script, server: MailServer) -> None:
    """A training ends: text, two pictures of different kinds, a log and a frame go to two people in one call."""
    (script.folder / "log.txt").write_text("epoch 1\nepoch 2\n")
    said = script.run("""
        import matplotlib; matplotlib.use("Agg")
        import matplotlib.pyplot as plt, pandas as pd
        from PIL import Image
        from reports.notify import message, send

        figure, axes = plt.subplots()
        axes.plot([3, 2, 1.5]); axes.set_title("Loss by epoch")
        Image.new("RGB", (60, 40), "teal").save("sample.png")
        wrong = pd.DataFrame({"line": [7, 9], "reason": ["no date", "=1+1"]})

        told = message(
            text="The training is done.\\nThe best epoch was the third.",
            subject="Training done",
            img=[figure, ("sample.png", "What it predicts for the first image")],
            attachments=["log.txt", ("wrong.csv", wrong), ("wrong.xlsx", wrong), ("model.bin", b"1234")],
        )
        print(send(told, to=["ann@example.com", "bob@example.com"]))
    """)
    assert said.count("accepted") == 2
    (mail,) = mails(server)
    assert mail["Subject"] == "Training done"
    assert list(files(mail)) == ["log.txt", "wrong.csv", "wrong.xlsx", "model.bin"]
    assert files(mail)["log.txt"] == b"epoch 1\nepoch 2\n"
    assert files(mail)["model.bin"] == b"1234"
    assert b"'=1+1" in files(mail)["wrong.csv"]
    assert files(mail)["wrong.xlsx"].startswith(b"PK")
    pictures = [part for part in mail.walk() if part.get_content_maintype() == "image"]
    body = part(mail, "html")
    assert len(pictures) == 2
    assert all(f"cid:{part['Content-ID'].strip('<>')}" in body for part in pictures)
    assert 'alt="What it predicts for the first image"' in body
    assert "Loss by epoch" in body
    assert "The best epoch was the third." in part(mail, "plain")


def test_no_network(tmp_path: Path) -> None:
    """The script goes on as if nothing were wrong; once somebody answers again, the next script's visit sends it too."""
    with MailServer(users={USER: CODE}) as away:
        there = account(away)
    script = Script(tmp_path, there)
    said = script.run("""
        from reports.notify import send
        result = send("upload done", subject="First", to="ann@example.com", wait=30)
        print("true" if result else "not yet", *(one.state for one in result))
    """)
    assert said.split() == ["not", "yet", "pending"]
    with MailServer(users={USER: CODE}, port=away.port) as back:
        script.environment["REPORTS_CA_FILE"] = back.ca_file
        said = script.run("""
            from reports.notify import flush, send
            print(bool(send("and another", subject="Second", to="ann@example.com", wait=30)), flush(30))
        """)
        assert said.split() == ["True", "True"]
        assert sorted(str(mail["Subject"]) for mail in mails(back)) == ["First", "Second"]


TEMPLATES = {
    "welcome.txt.j2": "Dear {{ name }},\n\nyour account is ready: {{ url('/login') }}\n",
    "welcome.html.j2": "<h1>Dear {{ name }},</h1>\n<p><a href=\"{{ url('/login') }}\">Your account</a> is ready.</p>\n",
}


def test_text_and_html_by_template_without_blocking(script: Script, server: MailServer) -> None:
    """A view of a web application answers at once, however slow the mail server is; the mail has both parts."""
    server.pause = 2
    (script.folder / "templates").mkdir()
    for name, text in TEMPLATES.items():
        (script.folder / "templates" / name).write_text(text)
    script.environment["REPORTS_BASE_URL"] = "https://app.example.com"
    said = script.run("""
        import time
        from flask import Flask
        from reports.notify import send_email

        app = Flask(__name__)

        @app.post("/register")
        def register():
            app.handle = send_email("zoe@example.com", "Welcome", "welcome", name="<Zoë>", templates="templates")
            return "look into your mail"

        with app.test_client() as client:
            client.post("/register")  # what is imported once
            began = time.monotonic()
            answer = client.post("/register")
            print("at once" if time.monotonic() - began < 1 else "late", answer.text)
        print("sent" if app.handle.wait(60) else "not sent")
    """)
    assert said.splitlines() == ["at once look into your mail", "sent"]
    mail = mails(server)[-1]
    assert "Dear <Zoë>,\n\nyour account is ready: https://app.example.com/login" in part(mail, "plain")
    assert "Dear &lt;Zoë&gt;," in part(mail, "html")
    assert 'href="https://app.example.com/login"' in part(mail, "html")


def test_smtp_over_tls_with_an_authorization_code(tmp_path: Path) -> None:
    """As QQ Mail wants it: TLS from the first byte, the code in place of the password, From the address that logs in."""
    with MailServer(security="tls", users={USER: CODE}) as server:
        script = Script(tmp_path, {"QQ_CODE": CODE, "CA_FILE": server.ca_file, "PORT": str(server.port)})
        text = """
            import os
            from reports.notify import send
            code, port = os.environ["QQ_CODE"], int(os.environ["PORT"])
            result = send(
                "跑批完成\\n共 12,000 行", subject="跑批完成", to="zoe@example.com", provider="qq", user="somebody@qq.com",
                password=code, host="localhost", port=port, security="tls", ca_file=os.environ["CA_FILE"],
            )
            print(result)
        """
        assert "zoe@example.com: accepted" in script.run(text)
        script.environment["QQ_CODE"] = "the-login-password"
        refused = script.run(text)
    (received,) = server.messages
    (mail,) = mails(server)
    assert (received.tls, received.user, mail["From"]) == (True, USER, USER)
    assert mail["Subject"] == "跑批完成"
    assert "accepted" not in refused
    assert "535" in refused
    assert CODE not in mail.as_string()


def test_the_slack_walk_through(tmp_path: Path) -> None:
    """From the first look at the team to one's own status: everything that the article shows, in its order."""
    with SlackServer() as slack:
        script = Script(tmp_path, {"BOT": slack.bot, "ME": slack.user, "API": slack.api})
        (tmp_path / "curve.png").write_bytes(bytes.fromhex("89504e470d0a1a0a") + b"picture")
        said = script.run("""
            import datetime as dt, os
            from reports.slack import Slack

            slack = Slack(os.environ["BOT"], user_token=os.environ["ME"], api=os.environ["API"])
            print(slack.check().team)
            print([(one.name, one.purpose) for one in slack.channels()][:2])
            print([(one.name, one.timezone) for one in slack.users()])
            slack.create("training", topic="resnet", purpose="How trainings go")
            slack.invite("#training", "zoe@example.com", "@ada")
            posted = slack.post("#training", f"{slack.mention('zoe@example.com')} epoch *1*", name="Trainer", icon=":robot_face:")
            slack.post("#training", f"{slack.mention('channel')} done", attachments=[{"color": "good", "text": "loss 0.1"}],
                       blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": "*done*"}}])
            slack.comment(posted, "and epoch 2")
            file = slack.upload("#training", "curve.png", title="Loss", comment="by epoch", alt="Loss falls")
            slack.post(slack.open("zoe@example.com"), "only for you")
            print([one.text for one in slack.history("#training")][-1])
            print(len(slack.search("epoch")))
            slack.remind("look at the curve", dt.timedelta(minutes=20))
            slack.snooze(dt.timedelta(hours=1))
            slack.status("training", ":robot_face:")
            slack.delete_file(file.id)
            slack.delete(posted)
        """)
    world = slack.world
    training = world.found("training")
    assert "Cash & flows" in said
    assert "Europe/London" in said
    assert (training.topic, training.purpose) == ("resnet", "How trainings go")
    assert {"U00000001", "U00000002"} <= training.members
    texts = [one["text"] for one in training.messages]
    assert "<@U00000002> epoch *1*" not in texts, "deleted again"
    assert "<!channel> done" in texts
    (file,) = world.files.values()
    assert (file.title, file.alt, file.comment, file.deleted) == ("Loss", "Loss falls", "by epoch", True)
    assert world.direct("U0000000B", "U00000002").messages[0]["text"] == "only for you"
    assert world.reminders
    assert world.snoozed
    assert world.people["U00000001"].status["status_text"] == "training"
    assert slack.bot not in said
