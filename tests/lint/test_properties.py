"""Whatever a mail is made of, there is a verdict."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lint.mails import mail, of_html

from reports import lint
from reports.lint import Template, css, markup

PIECES = st.sampled_from(
    ["<p", "<table>", "<td ", "</td>", "<style>", "</style>", "<!--[if mso]>", "<![endif]-->", "<!--[if !mso]><!-->", "<!-- -->",
     "<!--<![endif]-->", 'style="', "color:", "#FFF", "rgb(1 2 3)", "calc(", ";", "{", "}", "@media", "(prefers-color-scheme:dark)",
     "url(", "'", '"', ">", "<", "&#0;", "&nbsp;", "\n", "<img src=cid:x ", "<a href=", "https://[", "#", "!important", "var(--x)",
     "{{", "}}", "{%", "%}", "\x00", "\ufffd", "--x:1", "<html ", "<body>", "</html>", "<![CDATA[", "<?x", "width=9", "margin:-1e999px"]
)  # fmt: skip
PAGES = st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=40).map("".join)


def encodable(page: str) -> str:
    return page.encode("utf-8", "replace").decode()


@given(PAGES)
def test_any_page_has_a_verdict(page: str) -> None:
    """Also with itself as its template, and alone, without a head."""
    page = encodable(page)
    assert lint.check(of_html(page), [Template("t", page)]).mail.html.count("\n") >= page.count("\n")
    assert lint.check(mail(page)).findings


@given(st.binary(max_size=300))
def test_any_bytes_have_a_verdict(content: bytes) -> None:
    """A file that is no mail is a bad mail."""
    assert not lint.check(content).passed


@given(PAGES)
def test_reading_keeps_lines(page: str) -> None:
    """What one client does not see is blank, and all else stays on its line."""
    for word in (False, True):
        for element in markup.read(page, word=word).all():
            assert 1 <= element.line <= page.count("\n") + 1


@given(PAGES)
def test_any_style_sheet_is_read(text: str) -> None:
    """As rules, or as what is broken."""
    sheet = css.sheet(text, 7)
    assert all(rule.line >= 7 for rule in sheet.rules)
    assert all(one.line == 7 or "\n" in text for one in css.declarations(text, 7))
