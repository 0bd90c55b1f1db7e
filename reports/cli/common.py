"""What every command shares: the program, its options, and the boundary where errors end."""

from __future__ import annotations

import gc
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from reports import __version__
from reports.cli import output
from reports.errors import ReportsError


class Boundary(TyperGroup):
    """Where every error of a command ends: as sentences and an exit status, 1 failed or 2 misuse."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            try:
                return super().invoke(ctx)
            except BrokenPipeError:  # whoever read the answer has enough; the program knows how to leave then
                raise
            except KeyboardInterrupt:
                output.say("stopped; reports runs and reports outbox show how far it came")
                raise
            except ReportsError as error:
                _fail(ctx, error, status=error.exit_status)
            except Exception as error:
                if hasattr(error, "exit_code") or isinstance(error, typer.Abort):  # the program's own way to leave
                    raise
                _fail(ctx, _internal(error), status=1)


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    output.say(f"warning: {message}")


def _internal(error: Exception) -> ReportsError:
    """An error nobody foresaw, as one that can be told."""
    told = ReportsError(
        f"{type(error).__name__}: {error}", hint="a fault of reports itself: run again with -v and report what it shows"
    )
    told.__cause__ = error
    return told


def _fail(ctx: typer.Context, error: ReportsError, *, status: int) -> None:
    output.fail(error, verbose=bool(ctx.meta.get("verbose")), mask=ctx.meta.get("mask", str))
    ctx.exit(status)


def _remember_verbose(ctx: typer.Context, value: bool) -> bool:
    if value:
        ctx.meta["verbose"] = True
    return value


cli = typer.Typer(
    cls=Boundary,
    name="reports",
    help="Scheduled reports from databases and files, by mail, with the proof of who got what.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Verbose = Annotated[
    bool,
    typer.Option("-v", "--verbose", help="Tell each step, and tracebacks.", callback=_remember_verbose),
]
AsOf = Annotated[str, typer.Option("--as-of", metavar="DATE", help="2026-10-31, or words like 'month start'.")]
Params = Annotated[list[str] | None, typer.Option("-p", "--param", metavar="NAME=VALUE", help="A param of the job.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _version(value: bool) -> None:
    if value:
        output.answer(f"reports {__version__}")
        raise typer.Exit


@cli.callback()
def everywhere(
    ctx: typer.Context,
    project: Annotated[
        Path | None, typer.Option(help="The project's folder; else the nearest settings.toml upwards.")
    ] = None,
    verbose: Verbose = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    ctx.obj = project


def open_app(ctx: typer.Context) -> Any:
    """The App of the project this command is about."""
    _import()
    from reports.app import open_app
    from reports.project import find_root

    return _opened(ctx, open_app(find_root(ctx.obj)))


def open_outbox(ctx: typer.Context) -> Any:
    """The same; without a project what this user's scripts keep for the account of the environment, if there is any."""
    _import()
    from reports.app import App, open_app
    from reports.notify.accounts import settings_for
    from reports.project import find_root, nearest
    from reports.store import exists

    if ctx.obj is not None or nearest():
        return _opened(ctx, open_app(find_root(ctx.obj)))
    settings = settings_for(False)
    if not exists(settings.store, settings.data_folder):
        find_root()  # which tells that there is no project
    return _opened(ctx, App(settings))


def _import() -> None:
    gc.disable()  # imports make objects that stay; looking among them for garbage costs a fifth of their time
    import reports.app  # noqa: F401

    gc.freeze()
    gc.enable()


def _opened(ctx: typer.Context, app: Any) -> Any:
    ctx.meta["mask"] = app.settings.mask
    ctx.call_on_close(app.close)
    return app


def wanted(as_of: str, param: list[str] | None) -> Any:
    """What a person asked of a run, by the options above."""
    from reports.app import Wanted

    pairs = [text.partition("=") for text in param or ()]
    for name, equals, _ in pairs:
        if not equals:
            raise typer.BadParameter(f"'{name}' is not NAME=VALUE", param_hint="-p")
    return Wanted(as_of=as_of, params={name.strip(): value for name, _, value in pairs})
