"""`reports check --mail`: what mail clients make of a job's mail, said by template and line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from commands import reports
from projects import JOB, make_project

TEMPLATE = """\
{% extends "report.html.j2" %}
{% block footer %}
<tr>
<td style="color:#AAAAAA;position:relative">
x
</td>
</tr>
{% endblock %}
"""


def project(folder: Path, template: str) -> Path:
    return make_project(
        folder,
        job=JOB.replace("source =", 'template = "bad.html.j2"\nsource =', 1),
        files={"templates/bad.html.j2": template},
    )


def test_a_sound_mail_passes_and_nothing_is_sent(tmp_path: Path) -> None:
    """Status 0, counts, and the notes where they are asked for."""
    make_project(tmp_path)
    ran = reports(tmp_path, "check", "daily", "--mail", "--as-of", "2026-10-31")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.startswith("mail of daily: 0 errors, 0 warnings, ")
    assert "css-white-space" not in ran.stdout
    assert "[html-style]" in reports(tmp_path, "check", "daily", "--mail", "-v").stdout
    assert not (tmp_path / "var" / "mail").exists()


def test_a_broken_template_is_told_line_by_line(tmp_path: Path) -> None:
    """The file, the line, the clients, and what to do; status 1."""
    ran = reports(project(tmp_path, TEMPLATE), "check", "daily", "--mail")
    assert ran.returncode == 1
    lines = ran.stdout.splitlines()
    assert f"  {Path('templates', 'bad.html.j2')}" in lines
    assert any(line.startswith("       4  error: position:relative") for line in lines)
    assert any(line.startswith("       4  warning: #AAAAAA on #FFFFFF") for line in lines)
    assert "          do: place it by the cells of a table" in lines
    assert any(line.startswith("          in: classic Outlook (Word)") for line in lines)


def test_findings_are_records(tmp_path: Path) -> None:
    """Of every job where none is named."""
    ran = reports(project(tmp_path, TEMPLATE), "check", "--mail", "--json")
    (found,) = [row for row in json.loads(ran.stdout) if row["severity"] == "error"]
    assert found.keys() == {"mail", "severity", "rule", "what", "do", "where", "clients", "times"}
    assert (found["mail"], found["rule"], found["where"]) == (
        "daily",
        "css-position",
        str(Path("templates/bad.html.j2:4")),
    )
    assert "word" in found["clients"]


def test_a_saved_mail_is_looked_at_without_a_project(tmp_path: Path) -> None:
    """Its lines are those of its own HTML; a file that is not there is an error."""
    made = make_project(tmp_path / "project")
    assert reports(made, "run", "daily", "--dry-run", "--out", "out").returncode == 0
    ran = reports(tmp_path, "check", str(made / "out" / "message.eml"), "--mail")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    gone = reports(tmp_path, "check", "gone.eml", "--mail")
    assert gone.returncode == 1
    assert "gone.eml cannot be read" in gone.stderr


def test_the_linter_is_loaded_where_it_is_asked_for_alone(tmp_path: Path) -> None:
    """A plain check stays as fast as it was."""
    code = (
        f"import sys; sys.argv = ['reports', '--project', {str(make_project(tmp_path))!r}, 'check']\n"
        "import atexit; atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        "from reports.cli import main; main()"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"tinycss2", "cssselect2", "reports.lint"} & set(ran.stderr.split())
