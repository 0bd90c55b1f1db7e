"""Makes the pictures of README.md and looks.md from the sample jobs' own reports: `python docs/picture.py`.

It needs Chromium for the mails, and LibreOffice and pdftoppm for the workbooks.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageChops

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "tests"))  # where the same mails are looked at and compared

import looking  # noqa: E402
import samples  # noqa: E402
from looking import Browser, View  # noqa: E402

GROUND, GAP = "#E4E8ED", 28
WORKBOOK = "training"  # whose sheets are a page each


def main() -> None:
    command = looking.chromium() or "chromium"
    (DOCS / "looks").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        browser, project = Browser(command, folder), samples.laid_out(folder / "samples", ROOT)
        for job in samples.SAMPLES:
            report = samples.report(job, project).produced.report
            light = browser.pictures(report, [View(600), View(375)])
            dark = browser.pictures(report, [View(600, "dark"), View(375, "dark")])
            keep(beside([light["600-light"], dark["600-dark"]], height=1500), f"looks/{job}", most=860)
            keep(beside([light["375-light"], dark["375-dark"]], height=1900), f"looks/{job}-phone", most=600)
            if job == "cashflow":
                keep(beside([light["600-light"], dark["375-dark"]], height=1180), "cashflow-mail", most=1059)
            if job == WORKBOOK:
                keep(beside(pages(report.attachments[0].content, folder)[:4], across=2), "looks/workbook", most=1100)


def beside(pictures: list[Image.Image], *, height: int = 0, across: int = 0) -> Image.Image:
    """The pictures side by side on one ground, cut to a height, or with so many across."""
    across = across or len(pictures)
    rows = [pictures[start : start + across] for start in range(0, len(pictures), across)]
    heights = [height or max(one.height for one in row) for row in rows]
    width = max(sum(one.width + GAP for one in row) for row in rows) + GAP
    sheet = Image.new("RGB", (width, sum(heights) + GAP * (len(rows) + 1)), GROUND)
    top = GAP
    for row, tall in zip(rows, heights, strict=True):
        left = GAP
        for one in row:
            sheet.paste(one.crop((0, 0, one.width, min(one.height, tall))), (left, top))
            left += one.width + GAP
        top += tall + GAP
    return sheet


def pages(workbook: bytes, folder: Path) -> list[Image.Image]:
    """The first page of each sheet as it is printed, which is how LibreOffice shows a workbook without a screen."""
    (folder / "book.xlsx").write_bytes(workbook)
    profile = f"-env:UserInstallation=file://{folder / 'office'}"
    convert = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", folder, folder / "book.xlsx"]
    subprocess.run(convert, check=True, capture_output=True)
    subprocess.run(["pdftoppm", "-png", "-r", "70", folder / "book.pdf", folder / "page"], check=True)
    return [trimmed(Image.open(page).convert("RGB")) for page in sorted(folder.glob("page-*.png"))]


def trimmed(page: Image.Image) -> Image.Image:
    """The upper part of a page, down to a margin below what stands there."""
    white = Image.new("RGB", page.size, "#FFFFFF")
    written = ImageChops.difference(page, white).crop((0, 0, page.width, round(page.height * 0.93))).getbbox()
    return page.crop((0, 0, page.width, (written[3] if written else 0) + GAP))


def keep(picture: Image.Image, name: str, *, most: int) -> None:
    """The picture as a PNG of few colours, at most so many pixels wide."""
    width = min(picture.width, most)
    size = (width, round(picture.height * width / picture.width))
    few = picture.resize(size, Image.Resampling.LANCZOS).quantize(128, dither=Image.Dither.NONE)
    few.save(DOCS / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
