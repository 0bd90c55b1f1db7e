"""Promises about the text of HTML: what people read is there, with the addresses of links; what they do not see is not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reports.render.plain import of_html, title_of


def test_lists_tables_and_lines_as_they_stand() -> None:
    """Readable in a fixed-width font, without more than one blank line."""
    html = (
        "<h1>Done</h1><p>one<br>two</p><ul><li>a<li>b</ul><table><tr><th>n<th>m<tr><td>1<td>2</table><pre>x\n  y</pre>"
    )
    assert of_html(html).splitlines() == [
        "Done",
        "",
        "one",
        "two",
        "",
        "  * a",
        "  * b",
        "n  m",
        "1  2",
        "",
        "x",
        "  y",
    ]


def test_links_have_their_addresses() -> None:
    """Once, where the words are the address."""
    html = '<p><a href="https://example.com/a">the list</a> <a href="https://example.com">https://example.com</a> <a href="mailto:a@example.com">a@example.com</a></p>'
    assert of_html(html) == "the list (https://example.com/a) https://example.com a@example.com"


def test_pictures_are_their_words_and_styles_are_nothing() -> None:
    """Nor are scripts, comments and titles."""
    html = "<title>t</title><style>p{}</style><script>1</script><!-- c --><p>a <img src='cid:x' alt='a curve'></p>"
    assert of_html(html) == "a [a curve]"


def test_the_title_is_one_line() -> None:
    """With its signs as they are meant; empty where there is none."""
    assert title_of("<head><title>Nightly\n &amp; done</title></head>") == "Nightly & done"
    assert title_of("<p>x</p>") == ""


@given(st.text(max_size=200))
def test_anything_is_read(text: str) -> None:
    """What is no HTML as well."""
    assert isinstance(of_html(text), str)
