"""Pictures of mails as people see them, by headless Chromium: at several widths, light and dark, images on and off."""

from __future__ import annotations

import base64
import html
import io
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from PIL import Image

from reports.model import Report

OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=5000",
    "--allow-file-access-from-files", "--font-render-hinting=none",
)  # fmt: skip
# The font that comes with matplotlib, under the name that mails ask for first and as wide as that one: so lines break
# at the same places on every machine.
FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"
FACE = "@font-face{{font-family:'Segoe UI';font-weight:{weight};size-adjust:88%;src:url('{file}')}}"
SAME_FONT = "<!doctype html><style>{}</style>".format(
    "".join(
        FACE.format(weight=weight, file=(FONTS / name).as_uri())
        for weight, name in (("normal", "DejaVuSans.ttf"), ("bold", "DejaVuSans-Bold.ttf"))
    )
)
# Side by side, each mail in a frame as wide as the window it stands for; the title says what became of it.
PAGE = """<!doctype html><html style="color-scheme:{scheme}"><title>-</title>
<body style="margin:0;white-space:nowrap;font-size:0">{frames}<script>
addEventListener("load", () => {{
  document.title = [...document.querySelectorAll("iframe")].map(frame => {{
    const page = frame.contentDocument, pictures = [...page.images];
    const seen = pictures.filter(picture => picture.complete && picture.naturalWidth > 0).length;
    return [page.documentElement.scrollWidth, page.documentElement.scrollHeight, pictures.length, seen].join(" ");
  }}).join();
}});
</script></body></html>"""
FRAME = """<iframe style="border:0;vertical-align:top;width:{width}px;height:{height}px" srcdoc="{body}"></iframe>"""
SCHEMES = {"dark": 0, "light": 1}  # as Chromium counts them


@dataclass(frozen=True)
class View:
    """A window: how wide it is, whether it is dark, and whether pictures are shown."""

    width: int
    scheme: str = "light"
    images: bool = True

    @property
    def name(self) -> str:
        return f"{self.width}-{self.scheme}{'' if self.images else '-without-images'}"


@dataclass(frozen=True)
class Measured:
    """How wide and high a mail turned out in its window, how many pictures it has, and how many of them are seen."""

    width: int
    height: int
    pictures: int
    seen: int


WIDTHS = (320, 375, 600, 1024)


def views(scheme: str) -> list[View]:
    """All windows of a scheme that mails are looked at in."""
    return [*(View(width, scheme) for width in WIDTHS), View(600, scheme, images=False)]


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("google-chrome")


def body(report: Report, *, images: bool = True) -> str:
    """The mail's HTML; its pictures inside, or blocked as many clients do."""
    text = report.html
    for image in report.images if images else ():
        text = text.replace(
            f"cid:{image.cid}", f"data:{image.media_type};base64,{base64.b64encode(image.content).decode()}"
        )
    return text


@dataclass(frozen=True)
class Browser:
    """Chromium with a profile of its own in `folder`; with `same_font` lines break alike on every machine."""

    command: str
    folder: Path
    same_font: bool = False
    options: Sequence[str] = ()

    def measured(self, report: Report, seen: Sequence[View]) -> list[Measured]:
        """How the mail turns out in each of the windows, which are of one scheme."""
        page = self._page(report, seen, [100] * len(seen))
        shown = self._run(seen[0].scheme, "--window-size=1200,900", "--dump-dom", page.as_uri())
        title = re.search(r"<title>(.*?)</title>", shown)
        assert title is not None
        return [Measured(*map(int, frame.split())) for frame in title[1].split(",")]

    def pictures(self, report: Report, seen: Sequence[View]) -> dict[str, Image.Image]:
        """The whole mail in each of the windows, by the name of the window."""
        heights = [one.height for one in self.measured(report, seen)]
        page, file = self._page(report, seen, heights), self.folder / "seen.png"
        size = f"--window-size={sum(view.width for view in seen)},{max(heights)}"
        self._run(seen[0].scheme, size, f"--screenshot={file}", page.as_uri())
        whole, left = Image.open(file).convert("RGB"), 0
        found = {}
        for view, height in zip(seen, heights, strict=True):
            found[view.name] = whole.crop((left, 0, left + view.width, height))
            left += view.width
        return found

    def _page(self, report: Report, seen: Sequence[View], heights: Sequence[int]) -> Path:
        font = SAME_FONT if self.same_font else ""
        frames = [
            FRAME.format(width=view.width, height=height, body=html.escape(font + body(report, images=view.images)))
            for view, height in zip(seen, heights, strict=True)
        ]
        page = self.folder / "page.html"
        page.write_text(PAGE.format(scheme=seen[0].scheme, frames="".join(frames)), "utf-8")
        return page

    def _run(self, scheme: str, *options: str) -> str:
        asked = [
            f"--user-data-dir={self.folder / 'profile'}",
            f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
        ]
        command = [self.command, *OPTIONS, *self.options, *asked, *options]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def small(picture: Image.Image) -> bytes:
    """The picture as a PNG of few colours, half as large and at most 300 pixels wide, to be kept."""
    width = min(picture.width // 2, 300)
    size = (width, round(picture.height * width / picture.width))
    content = io.BytesIO()
    few = picture.resize(size, Image.Resampling.LANCZOS).quantize(48, dither=Image.Dither.NONE)
    few.save(content, "PNG", optimize=True)
    return content.getvalue()
