"""The look that settings ask for, as plain colours that can be read where they are used, and the logo's bytes."""

from __future__ import annotations

from reports import settings
from reports.colours import MUTED, WHITE, as_ink, ink_on, mixed
from reports.errors import SettingsError
from reports.model import Artifact, Theme
from reports.render import images

_SOFT = 0.945  # how much white is in the grounds of pages and figures, which some grey calms
_KEY = "settings.toml, key theme.logo"


def resolve(wanted: settings.Theme) -> Theme:
    """The theme; a SettingsError where the logo is not a picture inside the project."""
    accent = wanted.accent
    soft = mixed(mixed(accent, MUTED, 0.5), WHITE, _SOFT)
    return Theme(
        accent=accent,
        on_accent=ink_on(accent),
        link=as_ink(accent, soft),
        soft=soft,
        second=wanted.second,
        logo=_logo(wanted) if wanted.logo else None,
        footer=wanted.footer,
    )


def resolve_or_plain(wanted: settings.Theme) -> Theme:
    """The theme; without its logo where that cannot be had, for mails that must go out whatever is wrong."""
    try:
        return resolve(wanted)
    except SettingsError:
        return resolve(wanted.model_copy(update={"logo": ""}))


def _logo(wanted: settings.Theme) -> Artifact:
    path = wanted.root / wanted.logo
    if not path.resolve().is_relative_to(wanted.root.resolve()):
        raise SettingsError(f"the logo {wanted.logo} is not in the project's folder", where=_KEY)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"the logo {path} cannot be read: {error.strerror}", where=_KEY) from error
    return images.logo(content, place=str(path), width=wanted.logo_width, alt=wanted.logo_alt)
