"""The mail's body as HTML."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from render.pages import COLUMNS, TEMPLATES, chart, compare, image, page, sample, table

from reports.colours import contrast
from reports.errors import JobError, RenderError
from reports.limits import BODY
from reports.model import Block, Column, Figure, Figures, Page, Provenance, Table, Text, Theme
from reports.render.html import check_template, render

VOID = {"meta", "br", "img", "wbr"}
HOSTILE = {"long": "x" * 10_000, "Chinese": "贷" * 10_000, "markup": "&<\"'" * 2_500, "emoji": "😀 " * 5_000}


def html(page_: Page, *, folders: Sequence[Path] = (TEMPLATES,), template: str = "report.html.j2") -> str:
    charts = sum(block.__class__.__name__ == "Chart" for block in page_.blocks)
    pictures = [image(number) for number in range(1, charts + 1)]
    return render(page_, pictures, template=template, folders=folders)


class Tree(HTMLParser):
    """Every tag with its attributes; an end without its start is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def own_template(folder: Path, text: str, name: str = "own.html.j2") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


# -- what it looks like ---------------------------------------------------------------------------


def test_the_page_looks_as_reviewed() -> None:
    """The snapshot was looked at in a browser; a change of it is looked at again."""
    compare("report.html", html(sample()))


def test_equal_pages_give_equal_bytes() -> None:
    """So that a report sent again is the report sent before."""
    assert html(sample()) == html(sample())


def test_every_tag_is_closed_where_it_was_opened() -> None:
    """Also inside what only Outlook reads, once it reads it."""
    body = html(sample())
    assert Tree(body).all("h1")
    assert Tree(re.sub(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", r"\1", body, flags=re.DOTALL)).all("o:pixelsperinch")


def test_layout_tables_are_hidden_from_screen_readers_and_data_tables_are_not() -> None:
    """role=presentation on the one, caption and scope on the other."""
    tree = Tree(html(page(table())))
    data = [attributes for attributes in tree.all("table") if attributes.get("role") != "presentation"]
    assert [attributes["class"] for attributes in data] == ["data full"]
    assert [attributes["scope"] for attributes in tree.all("th")] == ["col"] * 6 + ["row"]
    assert len(tree.all("caption")) == 1


def test_numbers_are_aligned_by_attribute_and_by_style() -> None:
    """Outlook trusts the one, Gmail the other."""
    right = [cell for cell in Tree(html(page(table()))).all("td") if cell.get("align") == "right"]
    assert len(right) == 4 * 4
    assert all("text-align:right" in cell["style"] for cell in right)


def test_pictures_come_by_content_id_in_order_with_both_widths() -> None:
    """Outlook reads the width attribute alone, Apple Mail the style alone; a phone shrinks them."""
    pictures = Tree(html(page(chart(), Text(text="between"), chart()))).all("img")
    assert [picture["src"] for picture in pictures] == ["cid:chart1@inline", "cid:chart2@inline"]
    assert {picture["width"] for picture in pictures} == {"550"}
    for rule in ("display:block", "width:550px", "max-width:100%", "height:auto"):
        assert all(rule in picture["style"].split(";") for picture in pictures)
    assert pictures[1]["alt"] == "Picture 2: mortgages lead with 420 loans."


def test_a_chart_without_its_picture_is_an_error() -> None:
    """A broken image tells the reader nothing."""
    with pytest.raises(RenderError, match="1 pictures for 2 charts"):
        render(page(chart(), chart()), [image()], template="report.html.j2", folders=[TEMPLATES])


def test_styles_stand_in_the_tags_and_the_head_keeps_what_cannot() -> None:
    """Half of the clients read no style block; Gmail drops one it dislikes, so they are several and small."""
    body = html(sample())
    blocks = re.findall(r"<style[^>]*>(.*?)</style>", body, re.DOTALL)
    assert all(len(block) < 8_192 for block in blocks)
    assert len(blocks) >= 4
    assert [sum(word in block for block in blocks) for word in ("max-width:480px", "color-scheme:dark")] == [1, 1]
    assert re.search(r'class="stripe"[^>]*bgcolor="#1F5A92"[^>]*style="[^"]*background-color:#1F5A92', body)
    assert ".stripe{" not in body
    assert body.index('charset="utf-8"') < 1024


@pytest.mark.parametrize(
    "word", ["var(", "rgba(", "flex", "grid", "rem;", "position:", "<svg", "http://www.w3.org/2000"]
)
def test_nothing_is_used_that_mail_clients_lack(word: str) -> None:
    """What Outlook's Word engine or Gmail drops is not there in the first place."""
    assert word not in html(sample())


def test_outlook_gets_its_fixed_widths_and_resolution() -> None:
    """Ghost tables and 96 pixels per inch survive the inlining."""
    body = html(page(Figures(items=[Figure(label=str(n), value=n, format="integer") for n in range(7)])))
    assert "<o:PixelsPerInch>96</o:PixelsPerInch>" in body
    assert body.count('<td width="178" valign="top"') == 7
    assert body.count("</tr><tr><td width") == 2
    assert body.count("<!--[if mso]>") == body.count("<![endif]-->")


def test_the_preheader_is_made_of_the_first_figures() -> None:
    """What an inbox shows beside the subject: 40 to 90 characters, and not shown in the mail."""
    hidden = re.search(r'<div style="display:none[^>]*mso-hide:all[^>]*>(.*?)</div>', html(sample()))
    assert hidden
    assert hidden[1].startswith("Loans 612 · Balance $99,766,214 · Average rate 5.13%")
    assert 40 <= len(hidden[1]) <= 90


def test_notices_stand_at_the_top_and_say_what_they_are() -> None:
    """In words, not by colour alone."""
    body = html(page(table(), notices=["3 rows are missing."]))
    assert 0 < body.index("Please note") < body.index("3 rows are missing.") < body.index("<caption")
    assert "Please note" not in html(page(table()))


@pytest.mark.parametrize(
    ("notice", "linked"),
    [
        ("Fetch it here: https://files.example.com/a/b%20c.xlsx", "https://files.example.com/a/b%20c.xlsx"),
        ("Row 3, column x, 'https://evil.example/': wrong.", ""),
        ("Row 3, column x, https://evil.example/ : wrong.", ""),
        ("Row 3: 'https://evil.example'", ""),
        ("Fetch javascript:alert(1)", ""),
        ("https://files.example.com/a", ""),
        ('Here: https://files.example.com/"onclick="x', ""),
    ],
)
def test_only_an_address_that_ends_a_notice_can_be_clicked(notice: str, linked: str) -> None:
    """A file that is fetched instead of attached; not what stood in somebody's data."""
    body = html(page(notices=[notice]))
    assert [link["href"] for link in Tree(body).all("a")] == ([linked] if linked else [])


def test_an_address_in_a_notice_is_whole_however_full_the_page_is() -> None:
    """A link that is cut leads nowhere."""
    address = "https://files.example.com/linked/" + "a" * 700
    blocks = [Text(text="words " * 5_000, title=str(number)) for number in range(100)]
    body = html(page(*blocks, notices=[f"Loans.xlsx is too large. Fetch it here: {address}"]))
    assert f'<a href="{address}"' in body
    assert len(body.encode()) <= BODY


def test_lines_of_a_machine_are_shown_as_they_are() -> None:
    """In a fixed-width font, with their spaces and breaks, and as text."""
    body = html(page(Text(text="\n  a   1\n\n b <2>\n", as_is=True)))
    code = re.search(r"<code style=\"[^\"]*monospace[^\"]*\">(.*?)</code>", body, re.DOTALL)
    assert code
    shown = code[1].replace("&nbsp;", "\N{NO-BREAK SPACE}").strip("\n").replace("\N{NO-BREAK SPACE}", "_")
    assert shown == "__a__ 1<br><br>_b &lt;2&gt;"


def test_the_footer_says_where_the_numbers_come_from() -> None:
    """Dataset, rows, source, query and date, none of which changes on equal input."""
    body = html(page(provenance=[Provenance(dataset="loans", source="tape", query_hash="9f2c41d07ab3", rows=3112)]))
    assert "loans: 3,112 rows from tape, query 9f2c41d07ab3" in body
    assert "Made by reports" in body


def test_figures_that_are_too_long_for_large_type_are_smaller() -> None:
    """All figures of a row in one size, in which each fits on a phone."""
    short, long = Figure(label="a", value="$1.2m"), Figure(label="b", value="$1,234,567.89")
    assert html(page(Figures(items=[short]))).count('class="value size-large"') == 1
    assert html(page(Figures(items=[short, long]))).count('class="value size-medium"') == 2


@pytest.mark.parametrize(("columns", "look"), [(4, "data"), (6, "data full"), (8, "data wide"), (60, "data widest")])
def test_wide_tables_keep_their_columns_in_smaller_type(columns: int, look: str) -> None:
    """Nothing is cut off; from the 7th column on, a phone scrolls and is told so."""
    keys = [f"c{n}" for n in range(columns)]
    frame = pd.DataFrame(1, index=range(3), columns=keys)
    body = html(page(Table(frame=frame, columns=[Column(key=key, label=key) for key in keys])))
    assert f'class="{look}"' in body
    assert ">c0</th>" in body
    assert f">c{columns - 1}</th>" in body
    assert ("scrolls sideways" in body) == (columns > 6)


# -- languages ------------------------------------------------------------------------------------


def test_chinese_is_itself() -> None:
    """UTF-8 as it stands, and the language said twice, since clients drop the html tag."""
    body = html(page(Text(text="贷款组合"), title="贷款", language="zh-CN"))
    assert body.count('lang="zh-CN"') == 2
    assert "<h1" in body
    assert "贷款组合" in body


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("he_IL", "rtl"), ("en", "ltr"), ("art", "ltr")])
def test_right_to_left_languages_turn_the_page(language: str, direction: str) -> None:
    """Text starts at the right; a number stays right-aligned, with its minus before it."""
    body = html(page(table(), language=language))
    assert re.search(r'class="[^"]*negative"[^>]* style="[^"]*direction:ltr', body)
    assert body.count(f'dir="{direction}"') == 2
    assert ("text-align:left" in body) == (direction == "ltr")


# -- safety ---------------------------------------------------------------------------------------


def test_values_cannot_be_markup() -> None:
    """Autoescape, in texts and in attributes."""
    evil = '"><script>alert(1)</script>'
    frame = pd.DataFrame({"a": [evil]})
    figure = Figure(label=evil, value=evil, note=evil)
    blocks: list[Block] = [
        Table(frame=frame, columns=[Column(key="a", label=evil)], title=evil, note=evil, whole_in=evil),
        Figures(items=[figure], title=evil),
        Text(text=evil, title=evil),
        chart(title=evil, note=evil),
    ]
    body = html(page(*blocks, title=evil, subject=evil, language=evil, notices=[evil]))
    tree = Tree(body)
    assert tree.all("script") == []
    assert tree.all("img")[0]["src"] == "cid:chart1@inline"


def test_long_words_may_break_and_keep_their_characters() -> None:
    """An account number of 60 digits does not push the columns off a phone."""
    body = html(page(Text(text="a" * 60 + " short")))
    assert "a" * 20 + "<wbr>" + "a" * 20 + "<wbr>" + "a" * 20 + " short" in body


LIGHT = (
    [
        (ink, ground)
        for ink in ("#1F2933", "#5B6875", "#44505C", "#A62B3A", "#17663F")
        for ground in ("#FFFFFF", "#F4F6F8")
    ]
    + [("#17663F", "#E9F5EF"), ("#7A4A00", "#FDF3E1"), ("#A62B3A", "#FBEFF0")]
    + [("#1F2933", ground) for ground in ("#E9F5EF", "#FDF3E1", "#FBEFF0")]
)
DARK = [(ink, ground) for ink in ("#E4E9EF", "#A9B5C2", "#8ED6B0", "#F0929C") for ground in ("#1A222B", "#232D38")] + [
    ("#A9CDEE", "#232D38"), ("#8ED6B0", "#173127"), ("#F2C879", "#35290F"), ("#F0929C", "#3A2429"),
    ("#E4E9EF", "#173127"), ("#E4E9EF", "#35290F"), ("#E4E9EF", "#3A2429"),
]  # fmt: skip


def test_colours_have_enough_contrast() -> None:
    """WCAG AA: 4.5 to 1 for every text on every ground it stands on."""
    pairs = LIGHT + DARK
    templates = "".join((TEMPLATES / name).read_text("utf-8") for name in ("base.html.j2", "report.html.j2"))
    there = set(re.findall("#[0-9A-F]{6}", templates)) | {Theme().soft}
    assert {colour for pair in pairs for colour in pair} <= there
    assert {pair: ratio for pair in pairs if (ratio := contrast(*pair)) < 4.5} == {}


# -- the budget -----------------------------------------------------------------------------------


def test_rows_give_way_when_the_body_is_too_long() -> None:
    """As many rows as fit, near the budget, and a sentence that says how many there are."""
    frame = pd.DataFrame(1234567.891, index=range(3112), columns=list("abcdefgh"))
    columns = [Column(key=key, label=key, format="currency", total=True) for key in frame]
    big = Table(frame=frame, columns=columns, limit=500, whole_in="all.xlsx")
    body = html(page(big))
    shown = re.search(r"Showing (\d+) of 3,112 rows, totals of all 3,112; all in the attachment all.xlsx\.", body)
    assert shown
    assert body.count("<tr") - html(page(replace(big, frame=frame.head(0)))).count("<tr") == int(shown[1])
    assert 0.9 * BODY < len(body.encode()) <= BODY


def test_the_longest_tables_are_cut_first() -> None:
    """A short table keeps its rows."""
    frame = pd.DataFrame("some words in a cell", index=range(3000), columns=list("abcd"))
    columns = [Column(key=key, label=key) for key in frame]
    body = html(page(Table(frame=frame, columns=columns, limit=500), table()))
    assert "of 3,000 rows" in body
    assert all(product in body for product in ("Mortgage", "Car", "Staff"))
    assert body.count("Showing") == 1


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
def test_the_body_stays_under_the_budget_whatever_the_data(words: str) -> None:
    """Everything too long and too many at once: it is cut, and each cut is told."""
    frame = pd.DataFrame(words, index=range(600), columns=[f"c{n}" for n in range(60)])
    big = Table(
        frame=frame,
        columns=[Column(key=k, label=k + words) for k in frame],
        limit=500,
        title=words,
        note=words,
        whole_in=words,
    )
    figures = Figures(items=[Figure(label=words, value=words, note=words)] * 1000, title=words)
    blocks = [big, Text(text=words * 5, title=words), figures, chart(title=words, note=words), *[big] * 30]
    origin = Provenance(dataset=words, source=words, query_hash="9f2c41d07ab3", rows=600)
    body = html(page(*blocks, title=words, notices=[words] * 300, provenance=[origin] * 300))
    assert len(body.encode()) <= BODY
    assert "Showing 2 of 600 rows and 6 of 60 columns; all in the attachment" in body
    assert "Showing 6 of 1,000 figures." in body
    assert "of 34 parts of the report do not fit in this mail." in body


def test_a_template_that_is_too_long_by_itself_is_an_error(tmp_path: Path) -> None:
    """No cutting of data can help then."""
    own_template(tmp_path, "x" * (BODY + 1))
    with pytest.raises(RenderError, match="does not fit in 90,000 bytes"):
        html(page(), folders=[tmp_path], template="own.html.j2")


# -- one's own templates --------------------------------------------------------------------------


def test_a_template_extends_the_shipped_one_block_by_block(tmp_path: Path) -> None:
    """One's own header and one's own table around the shipped rest, styles and all."""
    own_template(
        tmp_path,
        '{% extends "report.html.j2" %}'
        "{% block more_style %}{{ super() }}<style>.brand{letter-spacing:1px}</style>{% endblock %}"
        '{% block header %}<tr><td class="brand">{{ page.title }}!</td></tr>{% endblock %}'
        "{% block table scoped %}<p>{{ part.title }}: {{ part.rows | length }} rows</p>{% endblock %}",
    )
    body = html(sample(), folders=[tmp_path, TEMPLATES], template="own.html.j2")
    assert '<td class="brand" style="letter-spacing:1px">Loan portfolio 贷款组合!</td>' in body
    assert "By product: 2 rows" in body
    assert "How to read this" in body
    check_template("own.html.j2", [tmp_path, TEMPLATES])


def test_the_projects_template_wins_over_the_shipped_one(tmp_path: Path) -> None:
    """Folders are searched in order."""
    own_template(tmp_path, "mine", "report.html.j2")
    assert html(page(), folders=[tmp_path, TEMPLATES]) == "mine"
    own_template(tmp_path, "", "report.html.j2")
    assert html(page(), folders=[tmp_path, TEMPLATES]) == ""


def test_the_shipped_templates_are_sound() -> None:
    """What init lays out passes the check."""
    check_template("report.html.j2", [TEMPLATES])


@pytest.mark.parametrize("use", ["{{ page.titel }}", "{{ pge.title }}", "{% if page.parts[7].kind %}x{% endif %}"])
def test_a_name_that_is_not_there_is_an_error_with_file_and_line(tmp_path: Path, use: str) -> None:
    """Instead of a hole in the mail."""
    path = own_template(tmp_path, f"one\n{use}\n")
    with pytest.raises(RenderError, match=r"titel|pge|no element 7") as caught:
        html(page(), folders=[tmp_path], template="own.html.j2")
    assert caught.value.where == f"{path}:2"
    assert "preheader" in caught.value.hint


def test_any_failure_in_a_template_has_its_file_and_line(tmp_path: Path) -> None:
    """Also where it is included by another."""
    inner = own_template(tmp_path, "\n\n{{ 1 / 0 }}", "inner.html.j2")
    own_template(tmp_path, '{% include "inner.html.j2" %}')
    with pytest.raises(RenderError, match="ZeroDivisionError") as caught:
        html(page(), folders=[tmp_path], template="own.html.j2")
    assert caught.value.where == f"{inner}:3"


@pytest.mark.parametrize(
    "read", [check_template, lambda name, folders: html(page(), folders=folders, template=name)], ids=["check", "run"]
)
def test_a_mistake_in_the_syntax_has_its_file_and_line(tmp_path: Path, read: Callable[..., object]) -> None:
    """Found by the check and by the run."""
    path = own_template(tmp_path, "one\n{% if page.title = 3 %}\ntwo{% endif %}")
    with pytest.raises(JobError, match="cannot be read: expected token") as caught:
        read("own.html.j2", [tmp_path])
    assert caught.value.where == f"{path}:2"


@pytest.mark.parametrize("text", ['{% extends "bsae.html.j2" %}', '{% include "bsae.html.j2" %}'])
def test_the_check_names_the_nearest_template_to_one_that_is_missing(tmp_path: Path, text: str) -> None:
    """Whether the job asks for it or another template does."""
    own_template(tmp_path, text)
    with pytest.raises(JobError, match=r"no template 'bsae\.html\.j2'") as caught:
        check_template("own.html.j2", [tmp_path, TEMPLATES])
    assert caught.value.hint == (
        "did you mean 'base.html.j2'? templates there: base.html.j2, notify.html.j2, notify.txt.j2, own.html.j2, "
        "parts.html.j2, report.html.j2, report.txt.j2"
    )
    with pytest.raises(JobError, match=r"no template 'rport\.html\.j2'"):
        html(page(), template="rport.html.j2")


def test_the_check_finds_a_name_no_template_sees(tmp_path: Path) -> None:
    """Without a page, so before the first run; names the template gives itself are fine."""
    path = own_template(tmp_path, "{% set mine = page.title %}{{ mine }}\n{{ ttle }}")
    with pytest.raises(JobError, match="there is no 'ttle'") as caught:
        check_template("own.html.j2", [tmp_path])
    assert caught.value.where == f"{path}:2"


def test_a_template_cannot_fetch_styles(tmp_path: Path) -> None:
    """A link to a stylesheet is left alone: rendering a mail opens no connection."""
    own_template(tmp_path, '<link rel="stylesheet" href="http://127.0.0.1:9/x.css"><style>p{color:red}</style><p>a</p>')
    assert '<p style="color:red">a</p>' in html(page(), folders=[tmp_path], template="own.html.j2")


def test_the_sample_stays_small() -> None:
    """A page of figures, a chart and a table leaves most of the budget to the data."""
    columns = [Column(key=column.key, label=column.label, format=column.format) for column in COLUMNS]
    assert len(html(page(table(columns=columns))).encode()) < 13_000


def test_a_chart_without_its_picture_has_its_numbers() -> None:
    """One that is too heavy for a mail says so; the next chart has its own picture."""
    body = render(
        page(chart(drawn=False, numbers=False), chart()), [image()], template="report.html.j2", folders=[TEMPLATES]
    )
    assert "Its picture is too heavy for a mail." in body
    assert len(Tree(body).all("img")) == 1
    assert body.index("Mortgages lead with 420 loans. Its picture") < body.index(">420<") < body.index("<img")
