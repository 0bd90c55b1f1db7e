"""Addresses: what is one, what is not, and what could forge a header."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.errors import DefinitionError
from reports.transports.address import Address, clean, parse, parse_lists


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("me@example.com", Address("", "me", "example.com")),
        ("Me <me@example.com>", Address("Me", "me", "example.com")),
        ('"Last, First" <me@example.com>', Address("Last, First", "me", "example.com")),
        ("财务 <caiwu@例子.公司>", Address("财务", "caiwu", "xn--fsqu00a.xn--55qx5d")),
        ("me+tag@EXAMPLE.com", Address("", "me+tag", "example.com")),
        ("<me@localhost>", Address("", "me", "localhost")),
        ("jürgen@example.com", Address("", "jürgen", "example.com")),
    ],
)
def test_both_ways_of_writing_an_address_are_read(text: str, expected: Address) -> None:
    """With a name or without, and any domain in ASCII."""
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "me", "me@", "@example.com", "a b@example.com", "me@exa mple.com", "a@b@c", "me@-x.com", "a@b..c",
     "a@example.com, b@example.com", "Me <me@example.com> <you@example.com>", ".a@b.c", f"{'x' * 65}@b.c"],
)  # fmt: skip
def test_what_is_no_address_is_named(text: str) -> None:
    """The error repeats the text and shows how one is written."""
    with pytest.raises(DefinitionError) as caught:
        parse(text, where="to")
    assert text in caught.value.what
    assert caught.value.where == "to"
    assert "@example.com" in caught.value.hint


def test_all_wrong_addresses_are_named_at_once() -> None:
    """Nobody mends a list one error at a time."""
    with pytest.raises(DefinitionError) as caught:
        parse_lists({"to": ["a@example.com", "one", "two"]})
    assert [problem.what.split("'")[1] for problem in caught.value.problems] == ["one", "two"]


def test_nobody_to_send_to_is_an_error() -> None:
    """An empty list is not a silent success."""
    with pytest.raises(DefinitionError, match="nobody"):
        parse_lists({"to": []})


def test_the_same_address_twice_is_one_recipient() -> None:
    """Whatever its letters' case or its name."""
    found = parse_lists({"to": ["A <a@example.com>", "a@EXAMPLE.com", "A@example.com", "b@example.com"]})["to"]
    assert [address.spec for address in found] == ["a@example.com", "b@example.com"]


@given(
    before=st.text(string.ascii_letters, max_size=5),
    bad=st.sampled_from("\r\n\0\x0b\x0c\x1c\x85\u2028\u2029\x7f\ud800"),
    after=st.text(string.ascii_letters, max_size=5),
)
def test_control_characters_are_refused_with_their_place(before: str, bad: str, after: str) -> None:
    """Everything that any reader might take for a line break."""
    with pytest.raises(DefinitionError) as caught:
        clean(before + bad + after, what="the subject")
    assert f"U+{ord(bad):04X} at position {len(before) + 1}" in caught.value.what


@given(st.text())
def test_any_text_is_an_address_or_a_clear_error(text: str) -> None:
    """No other exception, and what passes is safe in an envelope."""
    try:
        address = parse(text)
    except DefinitionError:
        return
    assert address.domain.isascii()
    assert not set(address.spec) & set("\r\n\0<> ")
