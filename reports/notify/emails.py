"""Mails of web applications: a template in text and in HTML, filled at once and sent in the background."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.errors import DefinitionError, SettingsError, choices
from reports.notify.accounts import Project
from reports.notify.notification import Notification, message
from reports.notify.outgoing import Handle
from reports.notify.outlets import Several, outlet
from reports.render import html
from reports.settings import Settings

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = "templates"
_TEXT, _HTML = ".txt.j2", ".html.j2"
_ABSOLUTE = re.compile(r"(?i)(https?:)?//|mailto:|tel:")


def send_email(  # noqa: PLR0913  as many as there are things to say
    to: Several,
    subject: str,
    template: str,
    /,
    *,
    templates: str | Path = "",
    attachments: Any = (),
    project: Project = None,
    sender: str = "",
    **context: Any,
) -> Handle:
    """Sends `template`.txt.j2 and `template`.html.j2, filled with the context; returns at once, and can be waited on.

    The templates are filled before it returns, so that what they see may change afterwards; the mail is stored and sent
    in the background. Where one of the two is not there it is made of the other. `url("/path")` and `"/path" | url` are
    addresses under [notify] base_url.

    Args:
        to: mail addresses, groups of settings, or "admins".
        subject: the subject, as it is.
        template: the template's name without its ending, as in "mail/welcome".
        templates: the folder they are in; `templates` of the project by default, or of the working directory.
        attachments: as in `message`.
        project: the project's folder; else the nearest settings.toml upwards; False for none.
        sender: who is shown as the sender, the account's own by default.
        context: what the templates see.

    Raises:
        ReportsError: a template, a recipient, an attachment or the account is wrong.
    """
    if not to:
        raise DefinitionError("there is nobody to send to", where="to", hint='write send_email("ann@example.com", ...)')
    way = outlet(to=to, project=project, sender=sender)
    folder = Path(templates) if templates else _folder(way.settings, project)
    said = _Template(template, folder, way.settings.notify.base_url).message(subject, context, attachments)
    return way.post_later(said)


def _folder(settings: Settings, project: Project) -> Path:
    """Where the templates are: in the project, if there is one."""
    return (settings.root if project is not False and _is_project(settings) else Path()) / FOLDER


def _is_project(settings: Settings) -> bool:
    return (settings.root / "settings.toml").is_file()


@dataclass(frozen=True)
class _Template:
    """A mail's two templates by their one name, where they are, and where links begin."""

    name: str
    folder: Path
    base_url: str

    def message(self, subject: str, context: Mapping[str, Any], attachments: Any) -> Notification:
        environment = _environment(self.folder.absolute(), self.base_url)
        there = [ending for ending in (_TEXT, _HTML) if (self.folder / f"{self.name}{ending}").is_file()]
        if not there:
            raise self._missing(environment)
        hint = f"this mail was given {', '.join(sorted(context)) or 'nothing'}"
        made = {one: html.filled(environment, f"{self.name}{one}", context, hint=hint) for one in there}
        return message(made.get(_TEXT, ()), made.get(_HTML, ()), subject=subject, attachments=attachments)

    def _missing(self, environment: Environment) -> DefinitionError:
        found = environment.list_templates(filter_func=lambda name: name.endswith((_TEXT, _HTML)))
        names = dict.fromkeys(name.removesuffix(_TEXT).removesuffix(_HTML) for name in found)
        return DefinitionError(
            f"there is neither {self.name}{_TEXT} nor {self.name}{_HTML}",
            where=str(self.folder.absolute()),
            hint=choices(self.name, names, what="templates there"),
        )


@cache
def _environment(folder: Path, base_url: str) -> Environment:
    """Compiled templates stay, and are compiled anew where their files have changed."""
    made = html.environment([folder])
    url = _linking(base_url)
    made.globals["url"] = made.filters["url"] = url
    return made


def _linking(base_url: str) -> Callable[[str], str]:
    def url(path: str) -> str:
        """An address that can be opened from a mail; one that is whole already stays as it is."""
        if _ABSOLUTE.match(path):
            return path
        if not base_url:
            hint = 'add base_url = "https://shop.example.com" to [notify] in settings.toml, or set REPORTS_BASE_URL'
            raise SettingsError(f"nobody knows where '{path}' is: there is no base_url", hint=hint)
        return f"{base_url.rstrip('/')}/{path.lstrip('/')}"

    return url
