"""`reports upload` and `reports uploads` as a person types them."""

from __future__ import annotations

import contextlib
import csv
import email
import io
import json
import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from commands import REPORTS, reports
from openpyxl import load_workbook
from places import Place, place

BAD = ["4,B,abc,=1+1", "5,B", "1,A,1,twice"]


@pytest.fixture
def where(tmp_path: Path) -> Place:
    made = place("sqlite", tmp_path, "sqlite:///wh.db")
    made.run("CREATE TABLE loans (id INTEGER PRIMARY KEY, branch TEXT, amount DECIMAL(10, 2), note TEXT)")
    return made


def file(where: Place, *lines: str, name: str = "loans.csv") -> Path:
    return where.write("id,branch,amount,note\n" + "".join(f"{line}\n" for line in lines), name)


def mails(where: Place) -> list[EmailMessage]:
    paths = sorted((where.folder / "var" / "mail").glob("*.eml"))
    return [email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]


def test_all_rows_in(where: Place) -> None:
    """Status 0, the counts, and nothing on stderr that is not about how it goes."""
    file(where, "1,A,1.5,", "2,B,2,x")
    ran = reports(where.folder, "upload", "loans.csv", "--to", "wh.loans")
    assert ran.returncode == 0, ran.stderr
    assert "loans.csv into wh.main.loans: succeeded" in ran.stdout
    assert "2 read, 2 inserted, 0 updated, 0 rejected" in ran.stdout
    assert ran.stderr == ""
    listed = reports(where.folder, "uploads")
    assert "wh.main.loans" in listed.stdout
    assert "succeeded" in listed.stdout


def test_some_rows_rejected(where: Place) -> None:
    """Status 1; each cause with its number, the first rows, and files that have them all, safe to be opened."""
    file(where, "1,A,1.5,", *BAD, "6,A,1,")
    ran = reports(where.folder, "upload", "loans.csv", "--to", "wh.loans", "--json")
    assert ran.returncode == 1, ran.stderr
    (one,) = json.loads(ran.stdout)
    assert (one["state"], one["rows_read"], one["inserted"], one["rejected"]) == ("partial", 5, 2, 3)
    assert one["causes"] == {"wrong type": 1, "broken row": 1, "duplicate key": 1}
    book, text = map(Path, one["files"])
    assert book.parent == where.folder / "var" / "uploads"
    assert text.read_bytes().startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(io.StringIO(text.read_text("utf-8-sig"))))
    assert [(row["line"], row["column"], row["cause"]) for row in lines] == [
        ("3", "amount", "wrong type"), ("4", "", "broken row"), ("5", "id", "duplicate key"),
    ]  # fmt: skip
    sheet = load_workbook(book).worksheets[0]
    assert [cell.value for cell in sheet[2]][1:6] == [3, "amount", "abc", "is not a number", "wrong type"]
    shown = reports(where.folder, "uploads", one["id"][:6])
    assert "line 3, column amount, 'abc': is not a number" in shown.stdout


def test_formulas_are_no_formulas(where: Place) -> None:
    """A value that Excel would calculate has an apostrophe before it in the CSV file."""
    where.run("DROP TABLE loans", "CREATE TABLE loans (note VARCHAR(3))")
    where.write("note\n=HYPERLINK(1)\n-2+3+cmd\n+++++\n@SUM(1)\n")
    ran = reports(where.folder, "upload", "loans.csv", "--to", "wh.loans", "--json")
    text = Path(json.loads(ran.stdout)[0]["files"][1]).read_text("utf-8-sig")
    values = [row["value"] for row in csv.DictReader(io.StringIO(text))]
    assert values == ["'=HYPERLINK(1)", "'-2+3+cmd", "'+++++", "'@SUM(1)"]


def test_what_the_workbook_cannot_hold_is_told(where: Place) -> None:
    """The CSV file has it; no cell holds a control character."""
    file(where, "4,B,abc,a\x01b")
    ran = reports(where.folder, "upload", "loans.csv", "--to", "wh.loans", "-v")
    assert ran.returncode == 1
    assert "1 text has control characters: shown by signs" in ran.stderr
    (kept,) = (where.folder / "var" / "uploads").glob("*.csv")
    assert "a\x01b" in kept.read_text("utf-8-sig")


def test_people_are_told(where: Place) -> None:
    """One mail to a group: the state first, figures, errors by cause with samples, what to do, the rows attached."""
    file(where, "1,A,1.5,", *BAD)
    ran = reports(where.folder, "upload", "loans.csv", "--to", "wh.loans", "--notify", "team")
    assert ran.returncode == 1
    (mail,) = mails(where)
    assert mail["Subject"].startswith("Uploaded in part: loans.csv into wh.main.loans")
    assert mail["To"] == "one@example.com, two@example.com"
    plain = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    for words in ("3 rows are not in the table", "Rows read", "wrong type (1)", "is not a number", "reports uploads"):
        assert words in plain
    names = [part.get_filename() for part in mail.iter_attachments()]
    assert [name.rpartition(".")[2] for name in names if name] == ["xlsx", "csv"]
    run = ran.stdout.rpartition("reports show ")[2].strip(")\n")
    shown = reports(where.folder, "show", run)
    assert shown.stdout.count("accepted") == 4
    assert "rejected" in shown.stdout
    assert names[0] in shown.stdout


def away(where: Place, more: str = "") -> None:
    """The mail server is not there."""
    settings = where.folder / "settings.toml"
    server = f'host = "127.0.0.1"\nport = 9\nauth = "none"\nsecurity = "none"\ntimeout = 2\n{more}'
    settings.write_text(settings.read_text("utf-8").replace('provider = "folder"', server), "utf-8")


def test_rejected_rows_that_no_mail_can_hold(where: Place) -> None:
    """They are packed, or left out with how to get them; the run has them all the same."""
    away(where, "size_limit = 60000\n")
    file(where, *(f"{n},A,x{n * 7919 % 100_003},{n * 104_729 % 1_000_003}" for n in range(3000)))
    ran = reports(where.folder, "upload", "loans.csv", "--to", "wh.loans", "--notify", "team", "--json")
    (one,) = json.loads(ran.stdout)
    assert one["rejected"] == 3000
    with contextlib.closing(sqlite3.connect(where.folder / "var" / "reports.db")) as store:
        size, content = store.execute("SELECT size, content FROM message").fetchone()
    assert size <= 60_000
    kept = (where.folder / "var" / "artifacts" / content[:2] / content).read_bytes()
    mail = email.message_from_bytes(kept, policy=policy.default)
    assert "is not attached" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    with where.app() as app:
        (run,) = app.runs()
        assert sorted(Path(file.name).suffix for file in app.show(run.id).artifacts) == [".csv", ".xlsx"]


def test_people_are_told_of_a_failure_before_the_first_row(where: Place) -> None:
    """A file that has not come, or does not fit, is a failed upload in the log and a mail."""
    ran = reports(where.folder, "upload", "nowhere.csv", "--to", "wh.loans", "--notify", "a@example.com")
    assert ran.returncode == 1
    assert "the file does not exist" in ran.stderr
    (mail,) = mails(where)
    assert mail["Subject"].startswith("Upload failed: nowhere.csv")
    with where.app() as app:
        (one,) = app.uploads()
        (run,) = app.runs()
    assert (one.state, one.rows_read) == ("failed", 0)
    assert run.state == "failed"


def test_a_mail_that_fails_changes_nothing(where: Place) -> None:
    """The upload is what it is; the mail waits in the outbox."""
    away(where)
    file(where, "1,A,1.5,")
    ran = reports(where.folder, "upload", "loans.csv", "--to", "wh.loans", "--notify", "a@example.com")
    assert ran.returncode == 0, ran.stderr
    assert "a@example.com" in reports(where.folder, "outbox", "list").stdout


def test_who_may_not_be_told_is_said_first(where: Place) -> None:
    """Before a row is read: an address that is none, a group that is none, one that [mail] allow does not."""
    settings = where.folder / "settings.toml"
    settings.write_text(settings.read_text("utf-8").replace("[groups]", 'allow = ["example.com"]\n[groups]'), "utf-8")
    file(where, "1,A,1.5,")
    for who in ("teem", "x@", "x@example.org"):
        ran = reports(where.folder, "upload", "loans.csv", "--to", "wh.loans", "--notify", who)
        assert ran.returncode == 2
        assert "where: --notify" in ran.stderr
    assert where.one("SELECT COUNT(*) FROM loans") == 0


def test_mail_goes_where_it_is_redirected(where: Place) -> None:
    """With who it was for."""
    settings = where.folder / "settings.toml"
    text = settings.read_text("utf-8").replace("[groups]", 'redirect = "me@example.com"\n[groups]')
    settings.write_text(text, "utf-8")
    file(where, "1,A,1.5,")
    assert reports(where.folder, "upload", "loans.csv", "--to", "wh.loans", "--notify", "team").returncode == 0
    (mail,) = mails(where)
    assert mail["To"] == "me@example.com"
    assert "It was for one@example.com, two@example.com" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_several_files_and_patterns(where: Place) -> None:
    """Each is an upload of its own; one that fails keeps no other back; they are told of in one mail."""
    file(where, "1,A,1,", name="a1.csv")
    file(where, "2,A,1,", name="a2.csv")
    where.write("wrong\n1\n", "a3.csv")
    file(where, "3,A,1,", name="a4.csv")
    ran = reports(where.folder, "upload", "a*.csv", "--to", "wh.loans", "--notify", "a@example.com")
    assert ran.returncode == 1
    assert where.one("SELECT COUNT(*) FROM loans") == 3
    assert "does not have" in ran.stderr
    (mail,) = mails(where)
    assert mail["Subject"].startswith("Upload failed: 1 of 4 files into wh.")
    assert reports(where.folder, "upload", "z*.csv", "--to", "wh.loans").returncode == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["loans.csv"],
        ["loans.csv", "--to", "loans"],
        ["loans.csv", "--to", "nowhere.loans"],
        ["loans.csv", "--to", "wh.loans", "--mode", "merge"],
        ["loans.csv", "--to", "wh.loans", "--mode", "upsert"],
        ["loans.csv", "--to", "wh.loans", "--batch", "0"],
        ["loans.csv", "--to", "wh.loans", "--source", "nothing"],
        [],
    ],
)
def test_misuse(where: Place, arguments: Sequence[str]) -> None:
    """Status 2, and a sentence."""
    file(where, "1,A,1,")
    ran = reports(where.folder, "upload", *arguments)
    assert ran.returncode == 2
    assert ran.stderr
    assert where.one("SELECT COUNT(*) FROM loans") == 0


def test_going_on_by_the_uploads_id(where: Place) -> None:
    """Without saying again what was said before."""
    path = file(where, "1,A,1,", "2,A,abc,")
    ran = reports(where.folder, "upload", "loans.csv", "--to", "wh.loans", "--on-error", "stop")
    assert ran.returncode == 1
    assert "line 3, column amount: 'abc' is not a number" in ran.stdout
    with where.app() as app:
        (one,) = app.uploads()
    path.write_text(path.read_text("utf-8").replace("abc", "5"), "utf-8")
    assert f"reports upload --resume {one.id[:8]}" in ran.stdout
    again = reports(where.folder, "upload", "--resume", one.id[:8])
    assert again.returncode == 0, again.stderr
    assert where.one("SELECT COUNT(*) FROM loans") == 2


def test_progress_on_a_terminal(where: Place) -> None:
    """One line, drawn again in its place: rows, rate, share and what is left."""
    where.write("id,branch,amount,note\n" + "".join(f"{n},A,1,\n" for n in range(400_000)))
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [REPORTS, "upload", "loans.csv", "--to", "wh.loans", "--batch", "2000"],
        cwd=where.folder, stderr=theirs, stdout=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        os.close(theirs)
        said = b""
        while True:
            try:
                block = os.read(ours, 65_536)
            except OSError:
                break
            if not block:
                break
            said += block
        assert running.wait(60) == 0
    os.close(ours)
    drawn = said.decode().split("\r")
    assert any(" rows" in line and " a second" in line and " left" in line for line in drawn)
    assert "\n" not in said.decode().rstrip()


def test_importing_reports_costs_nothing() -> None:
    """The function for scripts brings its libraries when it is called."""
    code = "import sys, reports; reports.upload; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pandas", "duckdb", "sqlalchemy", "pydantic", "typer", "openpyxl"} & set(ran.stdout.split())
