"""Fonts of a package, and scripts that run from right to left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from reports.model import Chart, Column, Theme
from reports.render.charts import draw
from reports.render.charts.fonts import Typeface, plain
from reports.render.charts.pen import Pen
from reports.render.palette import INK, palette

DRAWING = """
import sys, warnings
warnings.simplefilter("error")
from matplotlib.font_manager import fontManager
fontManager.ttflist[:] = [font for font in fontManager.ttflist if font.name in ALLOWED]
before = dict(dict.items(__import__("matplotlib").rcParams))
import pandas as pd
from reports.model import Chart, Column
from reports.render.charts import draw
from reports.render.charts.fonts import Typeface
frame = pd.DataFrame({"x": ["\u56fa\u5b9a"], "v": [1.0]})
draw(Chart(frame=frame, kind="bar", x=Column(key="x", label="X"), y=[Column(key="v", label="V")]), number=1)
assert "zhplot" not in sys.modules
assert dict(dict.items(__import__("matplotlib").rcParams)) == before
print(Typeface("zh").families)
"""


def font(path: Path, family: str, characters: str) -> None:
    """A font file in which each of the characters is a box."""
    names = [".notdef", *(f"c{number}" for number in range(len(characters)))]
    pen = TTGlyphPen(None)
    for number, point in enumerate(((100, 0), (100, 700), (800, 700), (800, 0))):
        (pen.lineTo if number else pen.moveTo)(point)
    pen.closePath()
    box = pen.glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(dict(zip(map(ord, characters), names[1:], strict=True)))
    builder.setupGlyf(dict.fromkeys(names, box))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (900, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


@pytest.fixture
def packaged(tmp_path: Path) -> Path:
    """A folder with the extra's package in it, whose code must not run."""
    info, fonts = tmp_path / "zhplot-1.0.0.dist-info", tmp_path / "zhplot" / "fonts"
    info.mkdir()
    fonts.mkdir(parents=True)
    (tmp_path / "zhplot" / "__init__.py").write_text("raise SystemExit('imported')\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zhplot\nVersion: 1.0.0\n")
    (info / "RECORD").write_text("zhplot/__init__.py,,\nzhplot/fonts/NotoSansSC-Regular.ttf,,\n")
    font(fonts / "NotoSansSC-Regular.ttf", "Noto Sans SC", "\u56fa\u5b9a")
    return tmp_path


def drawn(root: Path, folder: Path, *allowed: str) -> subprocess.CompletedProcess[str]:
    """Chinese drawn by a process in which a system would have only the allowed fonts."""
    code = DRAWING.replace("ALLOWED", repr(allowed))
    paths = os.pathsep.join((str(root), str(folder)))
    env = os.environ | {"PYTHONPATH": paths}
    return subprocess.run([sys.executable, "-c", code], env=env, check=False, capture_output=True, text=True)


def test_the_font_of_the_extra_is_found_without_running_its_code(root: Path, packaged: Path) -> None:
    """No warning, no question marks, and matplotlib's settings stay as they were."""
    ran = drawn(root, packaged, "DejaVu Sans")
    assert ran.returncode == 0, ran.stderr
    assert "Noto Sans SC" in ran.stdout


def test_a_font_of_the_system_comes_first(root: Path, packaged: Path) -> None:
    """Where it has one, the package's is not even opened."""
    if "Droid Sans Fallback" not in Typeface("zh").families:
        pytest.skip("the system has no Droid Sans Fallback")
    ran = drawn(root, packaged, "DejaVu Sans", "Droid Sans Fallback")
    assert ran.returncode == 0, ran.stderr
    assert "Noto Sans SC" not in ran.stdout


def test_without_a_font_the_warning_names_the_extra(root: Path, tmp_path: Path) -> None:
    """The same process without the package."""
    ran = drawn(root, tmp_path, "DejaVu Sans")
    assert ran.returncode == 1
    assert "MissingFont: no installed font has Chinese" in ran.stderr
    assert 'pip install "reports[chinese]"' in ran.stderr


def written(text: str) -> np.ndarray:
    """The ink of a text, cut out of its sheet."""
    sheet = Pen(Typeface(allowed=["DejaVu Sans"]), palette(Theme()), 300, 40)
    sheet.text(20, 28, text, size=16, ink=INK)
    ink = np.asarray(sheet._renderer.buffer_rgba())[..., 0] < 128
    columns = np.flatnonzero(ink.any(axis=0))
    return ink[:, columns[0] : columns[-1] + 1]


def test_hebrew_runs_from_right_to_left() -> None:
    """The first letter of a word is its rightmost: lamed, which stands highest, before or after a mem."""
    tops = [written(word).argmax(axis=0) for word in ("\u05de\u05de\u05dc", "\u05dc\u05de\u05de")]
    highest = [float(np.flatnonzero(top == top[top > 0].min()).mean()) / len(top) for top in tops]
    assert highest[0] < 0.5 < highest[1]


def test_arabic_letters_join() -> None:
    """Three letters joined are narrower than the three alone; a number inside keeps its order."""
    pen = Pen(Typeface(allowed=["DejaVu Sans"]), palette(Theme()), 300, 40)
    joined, alone = pen.measure("\u0628\u064a\u062a"), sum(pen.measure(letter) for letter in "\u0628\u064a\u062a")
    assert joined < 0.8 * alone
    apart = pen.measure("\u0628\u200c\u064a\u200c\u062a")
    assert apart > joined  # the joiner that is not seen keeps them apart
    assert plain("\u0628\u200c\u064a\u202e") == "\u0628\u200c\u064a"


def test_a_chart_in_arabic_is_drawn_whole() -> None:
    """Names, digits and Latin in one line, and too long for their room: no warning, and words in the alt text."""
    names = ["\u0627\u0644\u0642\u0631\u0648\u0636 2026 (USD)", "\u05e7\u05e8\u05df Loan 12" * 9]
    frame = pd.DataFrame({"x": names, "v": [1.0, 2.0]})
    one = Chart(frame=frame, kind="bar", x=Column(key="x", label="X"), y=[Column(key="v", label="V")])
    assert names[0] in draw(one, number=1, fonts=["DejaVu Sans"]).alt
