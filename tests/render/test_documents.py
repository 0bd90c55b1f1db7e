"""Promises about HTML of somebody else's: it stays what it is, in a document, with what is put below it before its end."""

from __future__ import annotations

from reports.render.documents import body_of, whole
from reports.render.locales import Locale


def test_a_document_stays_as_it_is() -> None:
    """To the letter, where it has no styles to be moved."""
    html = "<!doctype html><HTML><body bgcolor='red'><p>x</p></body></HTML>"
    assert whole(html) == html


def test_a_piece_has_a_document_around_it() -> None:
    """In its language, once."""
    html = whole("<p>x</p>", title="a & b", locale=Locale("he"))
    assert '<html lang="he" dir="rtl">' in html
    assert "<title>a &amp; b</title>" in html
    assert html.count("<p>x</p>") == 1


def test_more_is_put_before_the_end() -> None:
    """Of the body, or of what there is where it has no end."""
    assert whole("<body><p>x</p></BODY></html>", below="<p>y</p>") == "<body><p>x</p><p>y</p>\n</BODY></html>"
    assert whole("<body><p>x</p>", below="<p>y</p>") == "<body><p>x</p><p>y</p>\n"


def test_the_body_of_a_document_is_found() -> None:
    """Of a piece it is all of it."""
    assert body_of("<html><body class='a'> <p>x</p> </body></html>") == "<p>x</p>"
    assert body_of("<p>x</p>") == "<p>x</p>"
