"""Each rule by its smallest bad sample, which it finds on its line, and by the same sample mended."""

from __future__ import annotations

import pytest
from lint.mails import LINE, TEXT, mail, of_html

from reports import lint
from reports.lint import Template

CELL = '<table role="presentation" cellpadding="0" cellspacing="0" border="0"><tr>\n{}\n</tr></table>'
PICTURE = '<img src="cid:chart1" alt="Balance falls" width="550" style="width:550px;max-width:100%;height:auto">'
ALL_WIDE = '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px"><tr><td>x</td></tr></table>'
GHOST = f'<!--[if mso]><table role="presentation" width="600"><tr><td><![endif]-->{ALL_WIDE}<!--[if mso]></td></tr></table><![endif]-->'
BLOCK = '<div style="display:inline-block">x</div>'
GHOSTS = "<!--[if mso]><table><tr><td width='90'><![endif]-->{0}<!--[if mso]></td><td width='90'><![endif]-->{0}<!--[if mso]></td></tr></table><![endif]-->"
LINK = '<a href="https://example.com/loans" style="color:#1F5A92">{}</a>'
DATA = '<table cellpadding="0" cellspacing="0" border="0"><caption>Loans</caption><tr><th scope="col">Product</th></tr></table>'

# The rule, what is bad, and what is not.
PLACED = [
    ("css-position", '<p style="position:absolute">x</p>', '<p style="position:static">x</p>'),
    ("css-display-flex", '<div style="display:flex">x</div>', '<div style="display:block">x</div>'),
    ("css-display-grid", '<div style="display:inline-grid">x</div>', '<div style="display:inline">x</div>'),
    ("css-float", '<p style="float:left">x</p>', '<p style="float:none">x</p>'),
    ("css-variables", '<p style="color:var(--ink)">x</p>', '<p style="color:#1F2933">x</p>'),
    ("css-unit-rem", '<p style="font-size:1rem">x</p>', '<p style="font-size:16px">x</p>'),
    ("css-unit-calc", '<p style="font-size:calc(8px + 8px)">x</p>', '<p style="font-size:16px">x</p>'),
    ("css-rgba", '<p style="color:rgba(0,0,0,.9)">x</p>', '<p style="color:#191919">x</p>'),
    ("css-opacity", '<p style="opacity:.5">x</p>', '<p style="color:#5B6875">x</p>'),
    (
        "css-background-image",
        '<div style="background-image:url(cid:chart1)">x</div>',
        '<div style="background-color:#FFFFFF;background-image:url(cid:chart1)">x</div>',
    ),
    ("html-svg", "<svg></svg>", PICTURE),
    ("html-video", "<video></video>", LINK.format("The film of October")),
    ("html-form", "<form></form>", LINK.format("Answer on the page")),
    ("html-semantics", "<section>x</section>", "<div>x</div>"),
    ("html-hidden", "<p hidden>x</p>", ""),
    ("html-link", '<link rel="stylesheet" href="https://example.com/a.css">', '<link rel="author" href="#">'),
    ("image-webp", '<img src="data:image/webp;base64,AA" alt="x" width="9">', PICTURE),
    ("image-base64", '<img src="data:image/png;base64,AA" alt="x" width="9">', PICTURE),
    ("script", "<script>x</script>", ""),
    ("word-hidden", '<p style="display:none">x</p>', '<p style="display:none;mso-hide:all">x</p>'),
    ("word-max-width", ALL_WIDE, GHOST),
    ("word-inline-block", BLOCK + BLOCK, GHOSTS.format(BLOCK)),
    ("word-padding", '<p style="padding:4px 0">x</p>', CELL.format('<td style="padding:4px 0">x</td>').replace("\n", "")),
    ("word-width", '<div style="width:200px">x</div>', '<div style="width:100%">x</div>'),
    ("word-margin-auto", '<div style="margin:0 auto">x</div>', '<div align="center" style="margin:0 auto">x</div>'),
    ("margin-negative", '<p style="margin-top:-4px">x</p>', '<p style="margin-top:4px">x</p>'),
    ("alt-missing", PICTURE.replace(' alt="Balance falls"', ""), PICTURE),
    ("alt-empty", PICTURE.replace("Balance falls", ""), PICTURE),
    ("alt-long", PICTURE.replace("Balance falls", "falling " * 90), PICTURE),
    ("picture-width", PICTURE.replace(' width="550"', ""), PICTURE),
    ("picture-width", PICTURE.replace(' width="550"', ' width="550px"'), PICTURE),
    ("picture-width-style", PICTURE.replace("width:550px;", ""), PICTURE),
    ("picture-missing", PICTURE.replace("cid:chart1", "cid:chart9"), PICTURE),
    ("picture-missing", PICTURE.replace("cid:chart1", "chart.png"), PICTURE),
    ("picture-remote", PICTURE.replace("cid:chart1", "https://example.com/chart.png"), PICTURE),
    ("table-role", CELL.format("<td>x</td>").replace(' role="presentation"', ""), CELL.format("<td>x</td>")),
    ("table-role", DATA.replace("<table", '<table role="presentation"'), DATA),
    ("table-caption", DATA.replace("<caption>Loans</caption>", ""), DATA),
    ("table-caption", DATA.replace("<caption>Loans</caption>", ""), "<h2>Loans</h2>" + DATA.replace("<caption>Loans</caption>", "")),
    ("table-attributes", DATA.replace(' cellspacing="0"', ""), DATA),
    ("th-scope", DATA.replace(' scope="col"', ""), DATA),
    ("link-empty", "<a>Loans of October</a>", LINK.format("Loans of October")),
    ("link-http", LINK.format("Loans of October").replace("https", "http"), LINK.format("Loans of October")),
    ("link-relative", LINK.format("Loans of October").replace("https://", ""), LINK.format("Loans of October")),
    ("link-scheme", '<a href="javascript:go()">Loans of October</a>', LINK.format("Loans of October")),
    ("link-broken", '<a href="https://[x">Loans of October</a>', '<a href="mailto:a@example.com">Ask us</a>'),
    ("link-anchor", '<a href="#end">To the end</a>', '<a name="end"></a>'),
    ("link-anchor", '<a name="end"></a><a href="#end">To the end</a>', '<a name="end"></a>'),
    ("link-short", '<a href="https://bit.ly/x">Loans of October</a>', LINK.format("Loans of October")),
    ("link-lies", LINK.format("https://bank.example.org/loans"), LINK.format("www.example.com/loans")),
    ("link-vague", LINK.format("click here"), LINK.format("Loans of October")),
    ("link-silent", LINK.format(""), LINK.format("Loans of October")),
    ("contrast", '<p style="color:#AAAAAA">x</p>', '<p style="color:#5B6875">x</p>'),
    ("contrast", '<div style="background-color:#777777"><p>x</p></div>', '<div style="background-color:#FFFFFF"><p>x</p></div>'),
    ("contrast", '<p style="color:#949494;font-size:23px">x</p>', '<p style="color:#949494;font-size:24px">x</p>'),
    ("style-place", "<style>@media print{p{color:#000000}}</style>", ""),
]  # fmt: skip


def found(content: bytes) -> list[lint.Finding]:
    return [one for one in lint.check(content).findings if one.severity != "note"]


def rules(content: bytes) -> set[str]:
    return {one.rule for one in found(content)}


def test_a_mail_without_a_fault_has_none() -> None:
    """Or every test below would pass for another reason."""
    assert found(mail()) == []


@pytest.mark.parametrize(
    ("rule", "bad", "mended"), PLACED, ids=[f"{rule}-{number}" for number, (rule, *_) in enumerate(PLACED)]
)
def test_what_stands_in_the_page_is_found_on_its_line(rule: str, bad: str, mended: str) -> None:
    """The bad sample has a finding of that rule, there; the mended one has none."""
    pictures = {"chart1.png": b"PNG"}
    places = {one.where for one in found(mail("<p>x</p>\n" + bad + "\n", files=pictures)) if one.rule == rule}
    assert f"body.html:{LINE + 1}" in places
    assert rule not in rules(mail("<p>x</p>\n" + mended + "\n", files=pictures))


PAGE = mail().decode()


@pytest.mark.parametrize(
    ("rule", "left_out"),
    [("lang-missing", '<html lang="en"'), ("dir-missing", 'dir="ltr">\n<head'), ("lang-inside", '<div lang="en"'),
     ("dir-inside", 'dir="ltr">\n<div style'), ("title-missing", "Loans</title>"), ("viewport-missing", "viewport"),
     ("preheader-missing", "display:none;")],
)  # fmt: skip
def test_what_every_page_needs(rule: str, left_out: str) -> None:
    """Each is missed where it is not there."""
    page = lint.check(mail()).mail.html
    assert left_out in page
    name = {"lang-missing": "<html", "lang-inside": "<div", "dir-missing": ">\n<head", "dir-inside": ">\n<div style"}
    replaced = page.replace(left_out, name.get(rule, "</title>" if rule == "title-missing" else ""))
    assert rule in rules(of_html(replaced))


@pytest.mark.parametrize(
    ("rule", "bad", "mended"),
    [
        ("subject-empty", {"subject": " "}, {}),
        ("subject-long", {"subject": "Loans and their balance " * 3}, {"subject": "Loans and their balance"}),
        ("subject-shouts", {"subject": "LOANS OF OCTOBER"}, {"subject": "Loans of OCTOBER"}),
        ("subject-shouts", {"subject": "Loans!!"}, {"subject": "Loans!"}),
        ("subject-emoji", {"subject": "\U0001f680 Loans \U0001f680"}, {"subject": "\U0001f680 Loans"}),
        ("subject-reply", {"subject": "Re: loans"}, {"subject": "Re: loans", "in_reply_to": "<0@example.com>"}),
        ("subject-reply", {"subject": "AW: loans"}, {"subject": "Away: loans"}),
        ("from-missing", {"from": ""}, {}),
        ("date-missing", {"date": ""}, {}),
        ("message-id-missing", {"message_id": ""}, {}),
        ("from-to-itself", {"to": "Me <reports@example.com>"}, {}),
        ("many-recipients", {"to": ", ".join(f"a{one}@example.com" for one in range(51))}, {}),
        ("bulk", {"precedence": "bulk"}, {"precedence": "bulk", "list_unsubscribe": "<mailto:off@example.com>"}),
        ("auto-submitted", {"auto_submitted": ""}, {}),
        ("priority", {"x_priority": "1"}, {"x_priority": "3"}),
    ],
)
def test_the_head(rule: str, bad: dict[str, str], mended: dict[str, str]) -> None:
    """Headers that filters or people take amiss."""
    as_named = {name.replace("_", "-").title().replace("-Id", "-ID"): value for name, value in bad.items()}
    assert rule in rules(mail(**as_named))
    assert rule not in rules(mail(**{name.replace("_", "-").title(): value for name, value in mended.items()}))


def test_the_preheader_is_neither_short_nor_long() -> None:
    """40 to 90 characters are what inboxes show."""
    page = lint.check(mail()).mail.html
    said = "Loans 612, balance 99.8 million, and one is late."
    for other, rule in ((said[:30], {"preheader-length"}), (said * 2, {"preheader-length"}), (said[:45], set())):
        assert rules(of_html(page.replace(said, other))) == rule


def test_sizes() -> None:
    """Of the HTML, of the style elements, of the message, and of a line of it."""
    assert rules(mail("<p>x</p>\n" * 9_500)) == {"text-short"}
    assert [one.severity for one in found(mail("<p>x</p>\n" * 10_100, text=TEXT * 99))] == ["warning"]
    assert [one.severity for one in found(mail("<p>x</p>\n" * 11_500, text=TEXT * 99))] == ["error"]
    large = "".join(f"@media print{{.a{one}{{margin:0}}}}\n" for one in range(700))
    assert rules(mail(style=large)) == {"style-size"}
    assert rules(mail(style=large[: len(large) // 2 // 30 * 30])) <= {"style-broken"}
    assert rules(mail(files={"a.xlsx": b"x" * 8_000_000})) == {"message-size"}
    assert "line-length" in rules(mail() + b"x" * 1_000)


def test_the_plain_text() -> None:
    """There is one, and it says what the page says."""
    assert rules(mail(text="")) == {"text-missing"}
    assert rules(mail(text="See the page.")) == {"text-short"}


@pytest.mark.parametrize("name", ["run.exe", "book.xlsm", "page.html", "invoice.pdf.xlsx"])
def test_attached_files_with_names_that_servers_refuse(name: str) -> None:
    """A program, macros, a page, and two endings."""
    assert rules(mail(files={name: b"x"})) == {"attachment-name"}
    assert rules(mail(files={"Loans 2026.10.xlsx": b"x", "loans.csv.zip": b"x"})) == set()


def test_pictures_by_their_weight_and_their_use() -> None:
    """One that nobody shows, one too heavy, all too heavy, and a mail that is all pictures."""
    assert rules(mail(files={"chart1.png": b"x"})) == {"picture-unused"}
    assert rules(mail(PICTURE, files={"chart1.png": b"x" * 400_000})) == {"picture-heavy"}
    five = {f"chart{one}.png": b"x" * 280_000 for one in range(5)}
    shown = "".join(PICTURE.replace("chart1", name[:-4]) for name in five)
    assert rules(mail(shown, files=five)) == {"pictures-heavy"}
    few = lint.check(mail(PICTURE)).mail.html.replace(TEXT.strip(), "")
    assert "mostly-pictures" in rules(of_html(few, files={"chart1.png": b"x"}))


def test_rules_of_style_elements() -> None:
    """What is read in few clients, what does not win, and what makes Gmail drop all of it."""
    assert rules(mail('<p class="a">x</p>', style=".a{margin:0}")) == {"style-only"}
    assert rules(mail('<p class="a">x</p>', style=".b{margin:0}")) == set()
    dark = "@media (prefers-color-scheme:dark){{p{{color:#000080{0};background-color:#FFFFFF{0}}}}}"
    assert rules(mail(style=dark.format(""))) == {"dark-important"}
    assert rules(mail(style=dark.format("!important"))) == set()
    assert "rgb-spaces" in rules(mail(style="@media print{p{color:rgb(1 2 3)}}"))
    assert "rgb-spaces" not in rules(mail(style="@media print{p{color:rgb(1,2,3)}}"))
    assert "style-broken" in rules(mail(style="p{margin:0}} @media print{}"))


def test_colours_are_looked_at_in_every_scheme() -> None:
    """Fine in light, and not in the mail's own dark colours, or where a client turns them."""
    dark = "@media (prefers-color-scheme:dark){div{background-color:#12181F!important}}"
    inside = '<div style="background-color:#FFFFFF"><p style="color:#1F2933">x</p></div>'
    said = [one.what for one in found(mail(inside, style=dark)) if one.rule == "contrast"]
    assert said
    assert all("own dark" in one for one in said)
    told = found(mail(f'<div style="color:#FFFFFF">{PICTURE}</div>', files={"chart1.png": b"x"}))
    assert told[0].rule == "contrast"
    turned = {one.what.partition(" has ")[2][18:] for one in found(mail('<p style="color:#0000FF">x</p>'))}
    assert turned == {"where a client darkens what is light", "where a client turns all colours"}


def test_word_alone_reads_what_is_written_for_it() -> None:
    """What stands in its comments is no fault elsewhere, and what is kept from it is none there."""
    assert rules(mail('<!--[if mso]><p style="position:absolute">x</p><![endif]-->')) == {"css-position"}
    (one,) = found(mail('<!--[if mso]><p style="position:absolute">x</p><![endif]-->'))
    assert one.clients == ["word"]
    hidden = '<!--[if !mso]><!--><p style="box-sizing:border-box;visibility:hidden">x</p><!--<![endif]-->'
    assert all("word" not in one.clients for one in lint.check(mail(hidden)).findings if one.rule == "css-visibility")


def test_extras_are_no_faults() -> None:
    """Corners, shadows, and rules for phones and for the dark: the mail is whole without them."""
    inside = '<p style="border-radius:4px;box-shadow:0 0 2px #000000" class="a">x</p>'
    style = "@media (max-width:480px){.a{display:flex;position:absolute;padding:1rem}}"
    verdict = lint.check(mail(inside, style=style))
    assert verdict.passed
    assert {"css-border-radius", "css-box-shadow", "css-at-media"} <= {one.rule for one in verdict.findings}


def test_a_fault_is_told_on_the_line_of_its_template() -> None:
    """The tag's own style, the rule that was moved into it, or the rule that stays; what no template has, in the body."""
    report = """\
{% extends 'base' %}
{# <p class="note" style="float:left"> #}
{% for one in page %}
<p class="note" style="float:left">{{ one }}</p>
<img class="{{ x }}" src="cid:{{ one }}">
"""
    base = "<style>\n.note{\nposition:absolute}\n</style>\n<style>@media print{p{margin:0;\ncolor:rgb(1 2 3)}}</style>"
    inside = '<p class="note" style="position:absolute;float:left">x</p><img class="" src="cid:chart1"><b style="float:left">y</b>'
    content = mail(inside, style="@media print{p{margin:0;color:rgb(1 2 3)}}")
    findings = lint.check(content, [Template("report", report), Template("base", base)]).findings
    places = {(one.rule, one.where) for one in findings}
    assert {
        ("css-float", "report:4"),
        ("css-position", "base:3"),
        ("alt-missing", "report:5"),
        ("rgb-spaces", "base:6"),
    } <= places
    assert ("css-float", f"body.html:{LINE}") in places
    padded = [Template("report", "<style>\n.note{padding:4px}\n</style>\n<p class='note'>")]
    findings = lint.check(mail('<p class="note" style="padding:4px">x</p>'), padded).findings
    assert [one.where for one in findings if one.rule == "word-padding"] == ["report:2"]


def test_a_note_is_said_once() -> None:
    """With how often it is so, whereas a fault is said for each line."""
    findings = lint.check(mail('<p style="border-radius:1px">x</p>\n<p style="border-radius:2px">x</p>')).findings
    (note,) = [one for one in findings if one.rule == "css-border-radius"]
    assert (note.times, note.severity) == (2, "note")
    faults = found(mail('<p style="float:left">x</p>\n<p style="float:left">x</p>'))
    assert [(one.where, one.times) for one in faults] == [(f"body.html:{LINE}", 1), (f"body.html:{LINE + 1}", 1)]
