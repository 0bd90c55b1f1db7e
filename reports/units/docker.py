"""A Dockerfile and a compose file: the project mounted read-only, its data folder a volume."""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from collections.abc import Iterator
from pathlib import PurePath, PureWindowsPath

from reports.errors import ReportsError
from reports.units.site import Site

PROJECT = "/project"
NOBODY = 10001
"""The account's number in the image where the project's folder belongs to root or to nobody known."""
_LIBRARIES = "libgssapi-krb5-2 libkrb5-3 libltdl7"
"""What the driver for SQL Server needs of the system."""
_PARTS = (("pyproject.toml", "README.md", "LICENSE", "settings.toml"), ("reports",), ("jobs",), ("templates",))


def data_in_image(data: str) -> str:
    """The data folder inside the container, `data` being what settings.toml says."""
    if PureWindowsPath(data).drive:
        raise ReportsError("a container has no drives", where=f"settings.toml: data = {data!r}", hint='data = "var"')
    return posixpath.normpath(posixpath.join(PROJECT, data.replace("\\", "/")))


def dockerfile(site: Site, *, data: str, source: bool = False, uid: int = NOBODY) -> str:
    """The image; with `source` reports is built from its source folder, a build context of that name."""
    return "".join(f"{line}\n" for line in _image(site, data_in_image(data), source=source, uid=uid))


def _image(site: Site, data: str, *, source: bool, uid: int) -> Iterator[str]:
    yield "# An image that serves a project mounted at /project; it has no part of the project in it."
    yield from ("FROM python:3.13-slim", "")
    yield from ("# Libraries of the driver for SQL Server", "RUN apt-get update \\")
    yield f" && apt-get install -y --no-install-recommends {_LIBRARIES} \\"
    yield from (" && rm -rf /var/lib/apt/lists/*", "")
    yield from _from_source() if source else _from_index()
    yield from ("", "# Its number is that of the project's owner, so that it may read what the owner may")
    yield f"ARG ACCOUNT={uid}"
    yield f'RUN useradd --non-unique --uid "$ACCOUNT" --no-create-home --home-dir {shlex.quote(data)} reports \\'
    yield from (f" && install -d -o reports -g reports {shlex.quote(data)}", "USER reports", "")
    yield f"ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 MPLCONFIGDIR={_value(f'{data}/matplotlib')}"
    yield from (f"WORKDIR {PROJECT}", _check(site.health))
    yield from (f"ENTRYPOINT {json.dumps(['reports', '--project', PROJECT])}", 'CMD ["serve"]')


def _from_index() -> Iterator[str]:
    yield '# Or one version of it, as in "reports[all]==1.2.3"'
    yield from ('ARG REPORTS="reports[all]"', 'RUN pip install --no-cache-dir "$REPORTS"')


def _from_source() -> Iterator[str]:
    yield "# The folder of its source: docker build --build-context source=FOLDER"
    for parts in _PARTS:
        to = "/source/" if len(parts) > 1 else f"/source/{parts[0]}"
        yield f"COPY --from=source {' '.join(parts)} {to}"
    yield 'RUN pip install --no-cache-dir "/source[all]"'


def _check(health: str) -> str:
    """How Docker asks whether the service is well: in the container itself, past any proxy."""
    if not health:
        return "HEALTHCHECK NONE"
    host, _, port = health.rpartition(":")
    host = "127.0.0.1" if host in {"0.0.0.0", "[::]", "*"} else host  # noqa: S104  asked, not bound
    ask = f"r.build_opener(r.ProxyHandler({{}})).open('http://{host}:{port}/healthz', timeout=4)"
    words = json.dumps(["python", "-c", f"import urllib.request as r; {ask}"])
    return f"HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD {words}"


def _value(text: str) -> str:
    """A value of ENV, in quotes."""
    return '"' + re.sub(r'([\\"$])', r"\\\1", text) + '"'


def compose(site: Site, *, data: str, source: PurePath | None = None, uid: int = NOBODY) -> str:
    """The compose file, to lie in the project's folder beside the Dockerfile; JSON strings are YAML strings."""
    folder = data_in_image(data)
    context = ["      additional_contexts:", f"        source: {_string(str(source))}"] if source else []
    made = folder.startswith(f"{PROJECT}/")
    return _COMPOSE.format(
        first=f"mkdir -p {shlex.quote(folder.removeprefix(f'{PROJECT}/'))} && " if made else "",
        name=_string(site.name.lower().replace(".", "-")),
        uid=uid,
        context="".join(f"{line}\n" for line in context),
        grace=site.grace,
        data=_string(folder),
    )


def _string(text: str) -> str:
    """A string in YAML in which compose replaces nothing."""
    return json.dumps(text.replace("$", "$$"), ensure_ascii=False)


_COMPOSE = """\
# Beside the Dockerfile in the project's folder:  {first}docker compose up -d --build
# With a PostgreSQL beside it:  docker compose --profile postgres up -d --build
name: {name}
services:
  reports:
    build:
      context: .
      args:
        ACCOUNT: "{uid}"
{context}    init: true
    restart: unless-stopped
    stop_grace_period: {grace}s
    env_file:
      - path: .env
        required: false
    volumes:
      - type: bind
        source: .
        target: /project
        read_only: true
      - type: volume
        source: data
        target: {data}
    read_only: true
    tmpfs:
      - /tmp
    cap_drop:
      - ALL
    security_opt:
      - no-new-privileges:true
    depends_on:
      postgres:
        condition: service_healthy
        required: false
  postgres:
    profiles:
      - postgres
    image: postgres:17
    restart: unless-stopped
    environment:
      POSTGRES_USER: reports
      POSTGRES_DB: reports
      POSTGRES_PASSWORD_FILE: /run/secrets/postgres
    secrets:
      - postgres
    volumes:
      - type: volume
        source: postgres
        target: /var/lib/postgresql/data
    healthcheck:
      test: ["CMD", "pg_isready", "-U", "reports"]
      interval: 5s
      timeout: 5s
      retries: 12
volumes:
  data:
  postgres:
secrets:
  postgres:
    file: ./secrets/postgres
"""
