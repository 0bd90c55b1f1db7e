"""`reports providers`: the presets for mail accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from reports.cli import output
from reports.cli.common import AsJson, cli


@cli.command()
def providers(
    name: Annotated[str, typer.Argument(metavar="NAME", help="One provider, explained.")] = "",
    as_json: AsJson = False,
) -> None:
    """The mail providers that are known, or all that is known of one."""
    from reports.transports.providers import every, explain, find

    rows = list(every().values())
    if name:
        told = explain(find(name))
        output.answer_json(told) if as_json else output.answer(_page(told))
    elif as_json:
        output.answer_json([explain(provider) for provider in rows])
    else:
        cells = [[p.key, p.title, p.host, str(p.port or ""), p.security] for p in rows]
        output.answer(output.table(cells, ("provider", "for", "host", "port", "security")))


def _page(told: Mapping[str, Any]) -> str:
    """Each fact on a line; what is not known is not said."""
    from reports.model import size

    plain = {key: value for key, value in told.items() if key != "replies" and value is not None}
    known = {key: text for key, value in plain.items() if (text := _plain(value))}
    known["size"] = f"{size(told['size'])}, encoded" if told.get("size") else "not known"
    width = max(map(len, known), default=0)
    lines = [f"{key.replace('_', ' ').ljust(width)}  {text}" for key, text in known.items()]
    replies = [f"  {reply['code']}  {reply['means']}: {reply['do']}" for reply in told["replies"]]
    return "\n".join([*lines, *(["what its replies mean", *replies] if replies else [])])


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {_plain(one)}" for key, one in value.items() if one is not None)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
