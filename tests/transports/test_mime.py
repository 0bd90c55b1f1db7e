"""Messages composed by us, read back by the standard library."""

import datetime as dt
import email
import re
import subprocess
import sys
from collections.abc import Sequence
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.errors import DefinitionError
from reports.model import XLSX, Artifact, Message, Report
from reports.transports import mime

SAFE = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
FILE_NAMES = st.text(SAFE, min_size=1, max_size=63).filter(
    lambda name: name.strip(" .") and not set(name) & {"/", "\\"} and "=?" not in name
)
ENCODED = "=?utf-8?q?a=0D=0ABcc:_evil=40example.com?=.csv"
WHEN = dt.datetime(2026, 11, 2, 7, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))
CHART = Artifact(name="chart.png", media_type="image/png", content=b"\x89PNG" * 100, cid="chart-1")
BOOK = Artifact(name="Cash flow.xlsx", media_type=XLSX, content=bytes(range(256)) * 20)


def report(**changes: Any) -> Report:
    values: dict[str, Any] = {
        "job": "cashflow",
        "title": "Cash flow",
        "as_of": dt.date(2026, 10, 31),
        "subject": "Cash flow, 31 October",
        "html": "<p>Größe</p>\n",
        "text": "Größe\n",
    }
    return Report(**values | changes)


def compose(given: Report, to: Sequence[str] = ("you@example.com",), **changes: Any) -> Message:
    values: dict[str, Any] = {"sender": "Reports <reports@example.com>", "key": "r1", "date": WHEN}
    return mime.compose(given, to=to, **values | changes)


def read(message: Message) -> EmailMessage:
    found = email.message_from_bytes(message.content, policy=policy.default)
    assert isinstance(found, EmailMessage)
    assert [part.defects for part in found.walk() if part.defects] == []
    return found


def display_name(message: Message) -> str:
    """The sender's name, by the older reader: the newer keeps the space between encoded words, wrongly."""
    header = email.message_from_bytes(message.content)["From"]
    phrase = header.replace("\r\n", "\n").rpartition("<")[0].removesuffix("\n ")
    if phrase.startswith('"'):
        return re.sub(r"\\(.)", r"\1", phrase[1:-1])
    return str(make_header(decode_header(phrase)))


def tree(part: Any) -> Any:
    kind = part.get_content_type().partition("/")[2] if part.is_multipart() else part.get_content_type()
    return (kind, [tree(child) for child in part.iter_parts()]) if part.is_multipart() else kind


# -- the tree -----------------------------------------------------------------------------------------

ALTERNATIVE = ("alternative", ["text/plain", "text/html"])
RELATED = ("alternative", ["text/plain", ("related", ["text/html", "image/png"])])


@pytest.mark.parametrize(
    ("images", "attachments", "expected"),
    [
        ((), (), ALTERNATIVE),
        ((CHART,), (), RELATED),
        ((), (BOOK,), ("mixed", [ALTERNATIVE, XLSX])),
        ((CHART,), (BOOK,), ("mixed", [RELATED, XLSX])),
    ],
)
def test_the_tree_has_no_level_without_need(
    images: Sequence[Artifact], attachments: Sequence[Artifact], expected: object
) -> None:
    """Images alone make a related part, attachments alone a mixed one."""
    assert tree(read(compose(report(images=images, attachments=attachments)))) == expected


def test_a_report_without_html_is_plain_text() -> None:
    """And one without anything is an empty text, not a broken mail."""
    assert tree(read(compose(report(html="")))) == "text/plain"
    assert read(compose(report(html="", text=""))).get_content() == "\r\n"


def test_texts_and_bytes_come_back_as_they_were() -> None:
    """Whatever the script of the text and whatever the bytes."""
    chinese = "现金流量表：第一季度\n" * 50 + "。\n"
    html = '<img src="cid:chart-1"> <p>' + "x" * 5000 + "</p>\n.\n"
    found = read(compose(report(text=chinese, html=html, images=[CHART], attachments=[BOOK])))
    plain, rich = found.get_body(["plain"]), found.get_body(["html"])
    assert plain is not None
    assert rich is not None
    assert plain.get_content().replace("\r\n", "\n") == chinese
    assert rich.get_content().replace("\r\n", "\n") == html
    assert [part.get_content() for part in found.iter_attachments()] == [BOOK.content]


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=300))
def test_any_text_comes_back(text: str) -> None:
    """Line ends become one kind, the last line has one; nothing else changes, not even a trailing space."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    normal = lines if lines.endswith("\n") else lines + "\n"
    found = read(compose(report(text=text, html="")))
    payload = found.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().replace("\r\n", "\n") == normal


@pytest.mark.parametrize(
    ("text", "encoding"), [("Sum of all loans: 12,000 €\n" * 20, "quoted-printable"), ("现金流量表\n" * 20, "base64")]
)
def test_a_text_has_the_shorter_encoding(text: str, encoding: str) -> None:
    """Readable in its source where it is mostly ASCII, and never three times its size."""
    assert read(compose(report(text=text, html="")))["Content-Transfer-Encoding"] == encoding


def test_images_are_inline_with_a_name_and_a_plain_content_id() -> None:
    """No @domain, so Outlook.com lists no file of its own; a name, so nothing is called noname."""
    found = read(compose(report(html='<img src="cid:chart-1">', images=[CHART])))
    (image,) = (part for part in found.walk() if part.get_content_type() == "image/png")
    assert image["Content-ID"] == "<chart-1>"
    assert image.get_content_disposition() == "inline"
    assert image.get_filename() == "chart.png"


def test_an_image_that_is_shown_but_missing_is_an_error() -> None:
    """A mail with a hole in it is not sent."""
    with pytest.raises(DefinitionError, match="cid:chart-2") as caught:
        compose(report(html='<img src="cid:chart-2">', images=[CHART]))
    assert "chart-1" in caught.value.hint


def test_half_a_character_is_an_error_that_names_it() -> None:
    """A lone surrogate cannot be sent by anybody."""
    with pytest.raises(DefinitionError, match="U\\+D800"):
        compose(report(text="a\ud800"))


# -- file names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["现金流量表 2026年10月.xlsx", 'say "hi"; x=y.csv', "Größe & 50%.pdf", "日" * 80 + ".xlsx", "a'b*c.txt"]
)  # fmt: skip
def test_file_names_of_any_script_come_back(name: str) -> None:
    """In today's form, and as `name` for readers that know only the old one."""
    artifact = Artifact(name=name, media_type="application/octet-stream", content=b"x")
    message = compose(report(attachments=[artifact]))
    (part,) = read(message).iter_attachments()
    assert part.get_filename() == name
    old = re.search(rb'octet-stream;\r\n name="([^"]+)"', message.content)
    assert old is not None
    assert str(make_header(decode_header(old[1].decode()))) == name


@given(FILE_NAMES)
def test_any_file_name_comes_back_without_a_new_header(name: str) -> None:
    """Whatever is in a name stays in the name."""
    artifact = Artifact(name=name, media_type="text/csv", content=b"x")
    (part,) = read(compose(report(attachments=[artifact]))).iter_attachments()
    assert part["Content-Disposition"].params["filename"] == name  # get_filename() would take off <>
    assert {key.lower() for key in part} == {"content-type", "content-transfer-encoding", "content-disposition"}


@pytest.mark.parametrize("name", ["a\r\nBcc: x@y.z.csv", "../up.csv", "c:\\x.csv", "", "..", "日" * 86, ENCODED])
def test_names_that_are_no_file_names_are_refused(name: str) -> None:
    """Line breaks, even encoded ones, folders, nothing at all, and more than a disk takes."""
    with pytest.raises(DefinitionError):
        compose(report(attachments=[Artifact(name=name, media_type="text/csv", content=b"")]))


@pytest.mark.parametrize(
    "media_type", ["", "text", "text/csv\r\nX: y", "text/csv; name=<x>", "message/rfc822", "multipart/x"]
)
def test_media_types_that_are_none_are_refused(media_type: str) -> None:
    """They would end up in a header as they are; and what has parts of its own is no file."""
    with pytest.raises(DefinitionError):
        compose(report(attachments=[Artifact(name="a.csv", media_type=media_type, content=b"")]))


@pytest.mark.parametrize("cid", ["", "a@inline", "a b", "a>\r\nX: y", "a" * 61])
def test_content_ids_that_are_none_are_refused(cid: str) -> None:
    """Only letters, digits, dots, hyphens and underscores, on one line."""
    image = Artifact(name="a.png", media_type="image/png", content=b"", cid=cid)
    with pytest.raises(DefinitionError):
        compose(report(images=[image]))


# -- headers ----------------------------------------------------------------------------------------------


def test_the_headers_say_who_when_and_that_a_machine_wrote() -> None:
    """All that a receiving server and a mail program expect."""
    found = read(compose(report(), ["A <a@example.com>", "b@example.com"], reply_to="Desk <desk@example.com>"))
    assert found["From"].addresses[0].display_name == "Reports"
    assert [address.addr_spec for address in found["To"].addresses] == ["a@example.com", "b@example.com"]
    assert found["Reply-To"].addresses[0].addr_spec == "desk@example.com"
    assert found["Subject"] == "Cash flow, 31 October"
    assert found["Date"].datetime == WHEN
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["X-Auto-Response-Suppress"] == "All"
    assert found["MIME-Version"] == "1.0"
    assert len(found.keys()) == len(set(found.keys()))


@pytest.mark.parametrize("text", ["=?utf-8?b?5Lit?=", "100 % =?x?q?=41?=", ENCODED])
def test_text_that_looks_encoded_is_shown_as_written(text: str) -> None:
    """Nobody's reader decodes what was never encoded."""
    message = compose(report(subject=text), sender=f'"{text}" <me@example.com>')
    assert read(message)["Subject"] == text
    assert display_name(message) == text
    assert "Bcc" not in read(message)


@pytest.mark.parametrize("name", ["Doe, John " * 9, "财务报表 " * 20, "ö, " * 40, 'The "A, B" <desk>; '])
def test_a_long_name_is_one_sender_and_comes_back(name: str) -> None:
    """Quotes and spaces survive the folding."""
    message = compose(report(), sender='"' + name.replace('"', r"\"") + '" <me@example.com>')
    assert [address.addr_spec for address in read(message)["From"].addresses] == ["me@example.com"]
    assert display_name(message) == name.strip()


def test_hundreds_of_recipients_come_back_in_order() -> None:
    """One a line, with their commas."""
    everyone = [f'"Müller, Nr. {number}" <r{number}@example.com>' for number in range(300)]
    found = read(compose(report(), everyone))["To"].addresses
    assert [address.addr_spec for address in found] == [f"r{number}@example.com" for number in range(300)]
    assert found[299].display_name == "Müller, Nr. 299"


def test_only_the_display_name_of_the_sender_is_encoded() -> None:
    """QQ refuses a From that is encoded as a whole."""
    content = compose(report(), sender="财务报表 <reports@example.com>").content
    assert re.search(rb"^From: =\?utf-8\?b\?\S+\?=\r\n <reports@example\.com>\r\n", content, re.MULTILINE)


def test_the_envelope_has_bare_addresses_in_ascii() -> None:
    """Names stay in the headers; domains of other scripts are in punycode."""
    message = compose(report(), ["Zoë <zoe@bücher.example>"], sender="Me <me@例子.公司>")
    assert message.sender == "me@xn--fsqu00a.xn--55qx5d"
    assert message.recipients == ("zoe@xn--bcher-kva.example",)


def test_copies_are_in_their_header_and_blind_copies_in_none() -> None:
    """Everybody gets it; nobody reads the names of the blind copies, not even in the bytes."""
    message = compose(report(), ["a@example.com"], cc=["C <c@example.com>", "d@example.com"], bcc=["x@example.com"])
    found = read(message)
    assert [address.addr_spec for address in found["Cc"].addresses] == ["c@example.com", "d@example.com"]
    assert message.recipients == ("a@example.com", "c@example.com", "d@example.com", "x@example.com")
    assert "Bcc" not in found
    assert b"x@example.com" not in message.content


PEOPLE = st.lists(st.sampled_from([f"{name}@x{n}.example" for name in ("ann", "Ann", "bob") for n in range(4)]))


@settings(max_examples=50)
@given(to=PEOPLE, cc=PEOPLE, bcc=PEOPLE)
def test_any_mix_of_lists_is_each_recipient_once_and_tells_no_blind_copy(
    to: list[str], cc: list[str], bcc: list[str]
) -> None:
    """All of them in the envelope, none twice; a blind copy in no byte of the message."""
    message = compose(report(), ["first@example.com", *to], cc=cc, bcc=bcc)
    everyone = [address.casefold() for address in message.recipients]
    assert len(everyone) == len(set(everyone))
    assert set(everyone) == {address.casefold() for address in ("first@example.com", *to, *cc, *bcc)}
    for address in {address.casefold() for address in bcc} - {address.casefold() for address in (*to, *cc)}:
        assert address.encode() not in message.content.lower()


def test_whoever_is_named_twice_gets_one_mail() -> None:
    """The first place counts, whatever the case: To before Cc before Bcc."""
    message = compose(
        report(), ["a@example.com"], cc=["A <A@Example.com>", "b@example.com"], bcc=["b@EXAMPLE.com", "a@example.com"]
    )
    assert message.recipients == ("a@example.com", "b@example.com")
    assert [address.addr_spec for address in read(message)["Cc"].addresses] == ["b@example.com"]


def test_a_mail_of_blind_copies_alone_has_an_empty_group() -> None:
    """A mail without To is refused by some servers; without anybody it is an error."""
    message = compose(report(), (), bcc=["x@example.com"])
    assert b"\r\nTo: undisclosed-recipients:;\r\n" in message.content
    assert read(message)["To"].addresses == ()
    with pytest.raises(DefinitionError, match="nobody to send to"):
        compose(report(), ())


@settings(max_examples=50)
@given(subject=st.text(SAFE, max_size=200), name=st.text(SAFE, max_size=100))
def test_any_subject_and_name_come_back_in_short_lines(subject: str, name: str) -> None:
    """Encoded where needed, never longer than a line may be, and no header more."""
    sender = '"' + re.sub(r'(["\\])', r"\\\1", name) + '" <me@example.com>'
    message = compose(report(subject=subject), sender=sender)
    found = read(message)
    assert found["Subject"] == subject
    assert display_name(message) == name.strip()
    assert max(len(line) for line in message.content.split(b"\r\n")) <= 998
    assert [key for key in found if key.startswith("X-")] == ["X-Auto-Response-Suppress"]


@given(
    place=st.sampled_from(["subject", "sender", "to", "cc", "bcc", "reply_to", "file", "cid", "media_type"]),
    bad=st.sampled_from(["\r\n", "\n", "\r", "\0"]),
    where=st.integers(0, 3),
)
def test_no_header_can_be_smuggled_in(place: str, bad: str, where: int) -> None:
    """A line break anywhere is a clear error and never a header."""
    texts = {
        "subject": "abc",
        "sender": "abc <a@example.com>",
        "to": "abc <a@example.com>",
        "cc": "abc <a@example.com>",
        "bcc": "abc <a@example.com>",
        "reply_to": "abc <a@example.com>",
        "file": "abc.png",
        "cid": "abc",
        "media_type": "image/png",
    }
    texts[place] = texts[place][:where] + bad + "Bcc: evil@example.com" + texts[place][where:]
    image = Artifact(name=texts["file"], media_type=texts["media_type"], content=b"", cid=texts["cid"])
    with pytest.raises(DefinitionError):
        compose(
            report(subject=texts["subject"], images=[image]),
            [texts["to"]],
            cc=[texts["cc"]],
            bcc=[texts["bcc"]],
            sender=texts["sender"],
            reply_to=texts["reply_to"],
        )


def test_all_wrong_recipients_are_named() -> None:
    """The list is mended in one go."""
    with pytest.raises(DefinitionError) as caught:
        compose(report(), ["good@example.com", "bad one"], cc=["other"])
    assert [(problem.what, problem.where) for problem in caught.value.problems] == [
        ("'bad one' is not a mail address", "to"),
        ("'other' is not a mail address", "cc"),
    ]


# -- the same again ------------------------------------------------------------------------------------


def test_equal_arguments_give_equal_bytes() -> None:
    """Every attempt, and every later proof, has the very same message."""
    full = report(html='<img src="cid:chart-1">', images=[CHART], attachments=[BOOK])
    one, other = compose(full), compose(full)
    assert one == other


def test_the_message_id_follows_job_key_and_recipients() -> None:
    """The same for another text or date, another for anything of these three; in the sender's domain."""
    base = compose(report()).message_id
    assert base.endswith("@example.com>")
    assert base == compose(report(subject="Other"), date=WHEN + dt.timedelta(hours=1)).message_id
    others = {
        compose(report(), key="r2").message_id,
        compose(report(job="other")).message_id,
        compose(report(), ["you@example.com", "me@example.com"]).message_id,
    }
    assert len(others | {base}) == 4


def test_the_same_people_have_the_same_message_id() -> None:
    """In whatever order, header and case they are written: it is one message, and is not sent twice."""
    one = compose(report(), ["A <a@example.com>", "b@example.com"], bcc=["c@example.com"])
    other = compose(report(), ["C@EXAMPLE.com"], cc=["b@example.com", "a@example.com"])
    assert one.message_id == other.message_id


def test_lines_end_in_crlf_and_are_short() -> None:
    """SMTP may take the bytes as they are."""
    content = compose(report(html="<p>" + "ä" * 9000 + "</p>", attachments=[BOOK])).content
    assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 80


def test_what_other_libraries_set_for_all_of_a_process_changes_no_byte() -> None:
    """As Apprise does, for its own mails, once it is loaded."""
    code = """
import datetime as dt, email.charset, sys
from reports.model import Report
from reports.transports import mime
def made():
    report = Report(job="a", title="a", as_of=dt.date(2026, 1, 1), subject="Umsätze 财务报表", html="<p>ä</p>", text="ä")
    return mime.compose(report, sender="财务 <a@example.com>", to=["b@example.com"], key="1",
                        date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)).content
before = made()
email.charset.add_charset("utf-8", email.charset.QP, email.charset.QP, "utf-8")
sys.exit(before != made())
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
