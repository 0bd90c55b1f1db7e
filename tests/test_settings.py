"""Settings: typed, and with secrets that never show."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reports.errors import SettingsError
from reports.secret import Secret
from reports.settings import DatabaseSource, Settings


def settings(**tables: Any) -> Settings:
    return Settings.model_validate(tables, context={"root": Path("/project")})


def test_a_secret_comes_from_the_environment_and_shows_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    """The value is in reveal() alone."""
    monkeypatch.setenv("MAIL_PASSWORD", "hunter2")
    made = settings(mail={"from": "a@example.com", "password": {"env": "MAIL_PASSWORD"}})
    assert made.mail.password is not None
    assert made.mail.password.reveal() == "hunter2"
    assert "hunter2" not in repr(made) + str(made) + made.model_dump_json()


def test_a_secret_file_is_read_from_the_project_folder(tmp_path: Path) -> None:
    """Its last newline is not part of the secret."""
    (tmp_path / "key").write_text("s3cret\n", "utf-8")
    secret = Secret.model_validate({"file": "key"}, context={"root": tmp_path})
    assert secret.reveal() == "s3cret"


def test_a_missing_secret_names_its_place() -> None:
    """The person learns which variable or file to set."""
    with pytest.raises(SettingsError, match="SURELY_UNSET_VARIABLE is not set"):
        Secret(env="SURELY_UNSET_VARIABLE").reveal()
    with pytest.raises(SettingsError, match="nowhere cannot be read"):
        Secret(file="/nowhere").reveal()


@pytest.mark.parametrize("password", ["plain", 1234, ["a"]])
def test_a_secret_written_in_the_file_is_refused_without_repeating_it(password: object) -> None:
    """The message says what to write and does not show what was written."""
    with pytest.raises(ValidationError) as caught:
        settings(mail={"password": password})
    assert "a secret is never written here" in caught.value.errors()[0]["msg"]


@pytest.mark.parametrize("secret", [{}, {"env": "A", "file": "b"}])
def test_a_secret_has_exactly_one_place(secret: dict[str, str]) -> None:
    """Two places would leave open which one counts."""
    with pytest.raises(ValidationError, match="exactly one of env, file and keyring"):
        Secret.model_validate(secret)


def test_a_database_url_with_a_password_is_refused() -> None:
    """It belongs into the environment like any secret."""
    with pytest.raises(ValidationError, match="a password is never written here"):
        settings(sources={"db": {"url": "postgresql://me:geheim@host/db"}})
    made = settings(sources={"db": {"url": "postgresql://me@host:5432/db", "password": {"env": "X"}}})
    assert isinstance(made.sources["db"], DatabaseSource)


def test_mask_takes_every_secret_out_of_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors of libraries repeat URLs and passwords; people do not see them."""
    monkeypatch.setenv("DB", "postgresql://me:geheim@host/db")
    monkeypatch.setenv("PW", "hunter2")
    made = settings(
        sources={"db": {"url": {"env": "DB"}}, "other": {"url": "sqlite://", "password": {"env": "UNSET"}}},
        mail={"password": {"env": "PW"}},
    )
    text = made.mask("cannot reach postgresql://me:geheim@host/db with hunter2; password geheim")
    assert "hunter2" not in text
    assert "geheim" not in text


def test_an_invalid_time_zone_is_an_error_never_utc() -> None:
    """A report on the wrong day is worse than none."""
    with pytest.raises(ValidationError, match="not a time zone"):
        settings(timezone="Europe/Atlantis")


def test_today_is_the_date_in_the_project_time_zone() -> None:
    """Half past eleven at night in UTC is tomorrow in Shanghai."""
    instant = dt.datetime(2026, 10, 31, 23, 30, tzinfo=dt.UTC)
    assert settings(timezone="Asia/Shanghai").today(instant) == dt.date(2026, 11, 1)
    assert settings(timezone="America/New_York").today(instant) == dt.date(2026, 10, 31)


@pytest.mark.parametrize("url", ["postgresql://h/d?user=u&password=hunter2", "postgresql://u:hunter2@h/d"])
def test_a_password_anywhere_in_a_url_is_refused_and_masked(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Before the host or in the query."""
    with pytest.raises(ValidationError, match="a password is never written here"):
        settings(sources={"db": {"url": url}})
    monkeypatch.setenv("DB", url)
    assert "hunter2" not in settings(sources={"db": {"url": {"env": "DB"}}}).mask(f"{url} and hunter2")


def test_decimal_and_thousands_are_two_signs() -> None:
    """Else 1.50 would be read as 150."""
    with pytest.raises(ValidationError, match="the same sign"):
        settings(sources={"s": {"files": "a.csv", "thousands": "."}})


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00"])
def test_a_secret_that_cannot_be_read_masks_nothing_else(tmp_path: Path, content: bytes) -> None:
    """The error that is being told stays readable."""
    (tmp_path / "key").write_bytes(content)
    made = Settings.model_validate({"mail": {"password": {"file": "key"}}}, context={"root": tmp_path})
    assert made.mask("an error") == "an error"
    assert made.mail.password is not None
    with pytest.raises(SettingsError, match=r"is empty|cannot be read"):
        made.mail.password.reveal()
