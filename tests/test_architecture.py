"""The house rules: arrows point down only, and each heavy library has one home."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

# From the ground up. A module imports from the floors below its own, never beside it or above.
HOUSE = [
    {"errors"},
    {"model", "toml", "sql", "shipped", "cashflow", "leases", "parts", "colours", "limits", "saving", "turns"},
    {"schedules", "secret", "wording", "written"},
    {"definition"},
    {"settings"},
    {"drivers", "slack"},
    {"params", "jobs", "hooks", "blocks", "project", "sources", "render", "transports", "store", "lint"},
    {"attaching", "addressing", "remarks", "routes"},
    {"pipeline"},
    {"oversize", "announcing", "notices", "delivery", "archive"},
    {"alerting"},
    {"telling", "checking"},
    {"settling", "dispatch"},
    {"execution"},
    {"planning", "definitions", "verifying", "children", "pings", "logs", "health", "timer", "units", "uploads"},
    {"agenda", "post"},
    {"runner", "app"},
    {"child", "export", "preview", "service", "notify"},
    {"cli"},
]
FLOOR = {name: number for number, names in enumerate(HOUSE) for name in names} | {"": len(HOUSE)}  # the package itself
HOMES = {
    "pandas": (
        "sources",
        "render",
        "cashflow",
        "uploads.frames",
        "archive.frames",
        "archive.values",
        "notify.training",
    ),
    "numpy": ("sources", "render", "cashflow", "archive.frames", "archive.values", "archive.comparing"),
    "duckdb": ("sources",),
    "python_calamine": ("sources",),
    "pyarrow": ("sources",),
    "sqlalchemy": ("sources.database", "sources.dialects", "store"),
    "alembic": ("store",),
    "fsspec": ("store",),
    "openpyxl": ("render.workbook", "preview.sheets", "render.filling"),  # there its formulas and addresses alone
    "lxml": ("render.filling",),
    "msoffcrypto": ("render.sealing",),
    "matplotlib": ("render.charts",),
    "PIL": ("archive.comparing", "render.charts", "render.images"),
    "jinja2": ("render.html",),
    "css_inline": ("render.html",),
    "babel": ("render.locales", "render.languages", "render.numerals", "render.dates"),
    "smtplib": ("transports",),
    "email": ("transports", "lint"),
    "tinycss2": ("lint",),
    "cssselect2": ("lint",),
    "requests": ("transports",),
    "msal": ("transports",),
    "google": ("transports",),
    "filelock": ("transports",),
    "apscheduler": ("timer",),
    "cronsim": ("schedules",),
    "holidays": ("schedules",),
    "prometheus_client": ("health",),
    "structlog": ("logs",),
    "typer": ("cli",),
    "psutil": ("leases", "children"),
    "slack_sdk": ("slack",),
    "apprise": ("transports.chat",),
    "inscriptis": ("render.plain",),
    "platformdirs": ("notify.accounts",),
    "keyring": ("secret", "transports.tokens"),
    "keras": ("notify.training.keras",),
    "lightning": ("notify.training.lightning",),
    "pytorch_lightning": ("notify.training.lightning",),
    "transformers": ("notify.training.huggingface",),
    "torch": ("notify.training.evaluating",),
    "os.environ": ("secret", "settings"),
}
HEAVY = {
    "pandas",
    "numpy",
    "duckdb",
    "sqlalchemy",
    "openpyxl",
    "matplotlib",
    "jinja2",
    "pydantic",
    "apscheduler",
}


def modules(root: Path) -> Iterator[tuple[str, ast.Module]]:
    package = root / "reports"
    for path in sorted(package.rglob("*.py")):
        if "_project" not in path.parts:
            parts = path.relative_to(package).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield name, ast.parse(path.read_text("utf-8"), str(path))


def imports(tree: ast.AST, *, types: bool = True) -> Iterator[str]:
    """Every module a tree imports, lazily or not; with `types` false, not those for type checkers alone."""
    for node in ast.iter_child_nodes(tree):
        if not types and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imports(node, types=types)


def top(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


def ours(tree: ast.AST, known: set[str]) -> Iterator[str]:
    """The modules of the package a tree imports, by their names in it."""
    for name in imports(tree):
        inside = name.removeprefix("reports.")
        if name.startswith("reports.") and inside != "__version__":
            yield inside if inside in known else inside.rpartition(".")[0]


def arrows(root: Path) -> Iterator[tuple[str, str]]:
    trees = dict(modules(root))
    for module, tree in trees.items():
        yield from ((module, imported) for imported in ours(tree, set(trees)) if imported != module)


def test_every_module_has_its_floor(root: Path) -> None:
    """A new module is put on a floor on purpose."""
    assert {top(name) for name, _ in modules(root)} == set(FLOOR)


def test_arrows_point_down(root: Path) -> None:
    """No module imports from its own floor or above, lazy imports and imports for types included."""
    wrong = [
        f"{module} -> {imported}"
        for module, imported in arrows(root)
        if top(module) != top(imported) and FLOOR[top(imported)] >= FLOOR[top(module)]
    ]
    assert wrong == []


def test_there_is_no_cycle(root: Path) -> None:
    """Also not inside one package, and not hidden in a function."""
    graph: dict[str, set[str]] = {}
    for module, imported in arrows(root):
        graph.setdefault(module, set()).add(imported)
    assert list(TopologicalSorter(graph).static_order())


def test_each_library_has_one_home(root: Path) -> None:
    """Nothing but its home imports a library, except for types."""
    wrong = [
        f"{module}: {library}"
        for module, tree in modules(root)
        for library, homes in HOMES.items()
        for name in set(imports(tree, types=False)) | attributes(tree)
        if (name == library or name.startswith(f"{library}."))
        and not any(module == home or module.startswith(f"{home}.") for home in homes)
    ]
    assert wrong == []


def attributes(tree: ast.AST) -> set[str]:
    return {
        "os.environ"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}
    }


def test_the_check_sees_a_forbidden_import() -> None:
    """The rules above can fail: lazy imports are seen, those for types are told apart."""
    tree = ast.parse("def f():\n    import duckdb\nif TYPE_CHECKING:\n    import pandas\n")
    assert set(imports(tree)) == {"duckdb", "pandas"}
    assert set(imports(tree, types=False)) == {"duckdb"}


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help_imports_no_heavy_library(arguments: list[str]) -> None:
    """Asking for help costs a blink."""
    code = (
        f"import sys; sys.argv = ['reports', *{arguments!r}]\n"
        "import atexit; atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        "from reports.cli import main; main()"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "reports" in ran.stdout
    by_typer_itself = {"pydantic"} if arguments[0] == "run" else set()
    assert HEAVY & set(ran.stderr.split()) <= by_typer_itself
