"""Makes the README's picture from the sample job's own mail: `python docs/picture.py` (needs Chromium)."""

import subprocess
import tempfile
from pathlib import Path

from reports import export
from reports.app import Wanted, open_app

ROOT = Path(__file__).parents[1]
PAGE = '<body style="margin:0"><iframe src="body.html" style="border:0;width:600px;height:2400px"></iframe></body>'


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export.write(open_app(ROOT).dry_run("cashflow", Wanted(as_of="2026-10-31")), folder)
        (folder / "page.html").write_text(PAGE, "utf-8")
        picture = ROOT / "docs" / "cashflow-mail.png"
        options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--force-device-scale-factor=1.5"]
        subprocess.run(
            [
                "chromium",
                *options,
                "--window-size=600,1080",
                f"--screenshot={picture}",
                (folder / "page.html").as_uri(),
            ],
            check=True,
            capture_output=True,
        )


if __name__ == "__main__":
    main()
