"""The address of a SQL Server, from the settings' fields or as a URL: encrypted, and complete, or it is said how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import URL

from reports.errors import SettingsError, choices
from reports.settings import SqlServerSource

DEFAULT = "mssql+mssqlpython"
# What mssql-python understands, by its lower case; anything else it refuses.
KEYWORDS = {
    word.lower(): word
    for word in (
        "UID", "PWD", "Authentication", "Trusted_Connection", "Encrypt", "TrustServerCertificate",
        "HostnameInCertificate", "ServerCertificate", "ServerSPN", "MultiSubnetFailover", "ApplicationIntent",
        "ConnectRetryCount", "ConnectRetryInterval", "KeepAlive", "KeepAliveInterval", "IpAddressPreference",
        "PacketSize",
    )
}  # fmt: skip
_ENTRA = {
    "entra": "ActiveDirectoryDefault",
    "managed_identity": "ActiveDirectoryMSI",
    "service_principal": "ActiveDirectoryServicePrincipal",
    "device_code": "ActiveDirectoryDeviceCode",
}


def url_of(name: str, settings: SqlServerSource) -> URL:
    """The settings' fields as the URL of their driver; a SettingsError for what that driver cannot do."""
    words = _by_pymssql(name, settings) if settings.driver == "pymssql" else _by_mssqlpython(settings)
    named = settings.login != "windows"
    return URL.create(
        f"mssql+{settings.driver}",
        username=(settings.user or None) if named else None,
        password=settings.password.reveal() if named and settings.password else None,
        host=settings.server,
        port=settings.port,
        database=settings.database,
        query=words,
    )


def _by_mssqlpython(settings: SqlServerSource) -> dict[str, str]:
    words: dict[str, str] = {"Encrypt": settings.encrypt}
    words |= {"TrustServerCertificate": "yes"} if settings.trust_server_certificate else {}
    words |= {"HostnameInCertificate": settings.certificate_host} if settings.certificate_host else {}
    words |= {"ApplicationIntent": "ReadOnly"} if settings.read_only else {}
    words |= {"MultiSubnetFailover": "Yes"} if settings.multi_subnet_failover else {}
    words |= {"Trusted_Connection": "yes"} if settings.login == "windows" else {}
    if settings.login in _ENTRA:
        # The dialect looks for it under this name where nobody is named, and passes it on otherwise.
        words["Authentication" if settings.user else "authentication"] = _ENTRA[settings.login]
    return words


def _by_pymssql(name: str, settings: SqlServerSource) -> dict[str, str]:
    cannot = {
        "login": f'has no login "{settings.login}"' if settings.login in _ENTRA else "",
        "encrypt": 'cannot do encrypt = "strict"' if settings.encrypt == "strict" else "",
        "certificate_host": "never looks at the certificate" if settings.certificate_host else "",
        "multi_subnet_failover": "has no multi_subnet_failover" if settings.multi_subnet_failover else "",
    }
    for key, reason in cannot.items():
        if reason:
            hint = 'leave the key out, or say driver = "mssqlpython"'
            raise SettingsError(f"pymssql {reason}", where=f"sources.{name}.{key}", hint=hint)
    words = {"charset": "UTF-8", "encryption": "off" if settings.encrypt == "no" else "require"}
    words |= {"appname": settings.application_name} if settings.application_name else {}
    return words | ({"read_only": "1"} if settings.read_only else {})


def completed(url: URL, where: str) -> URL:
    """A URL that somebody wrote, encrypted unless it says otherwise; a SettingsError says what it lacks."""
    url = url.set(drivername=DEFAULT) if url.drivername == "mssql" else url
    kind = url.drivername.partition("+")[2]
    if not (url.host and url.database) and kind != "pyodbc":
        lacking = "server" if not url.host else "database"
        raise _lacks(url, where, f"names no {lacking}", f'"{url.drivername}://USER@SERVER/DATABASE"')
    if kind == "mssqlpython":
        _check_keywords(url, where)
    elif kind == "pymssql":
        url = url.update_query_dict({"charset": "UTF-8", "encryption": "require", **_plain(url.query)})
    elif kind == "pyodbc" and url.host and not {"driver", "odbc_connect"} & {key.lower() for key in url.query}:
        hint = "add ?driver=ODBC+Driver+18+for+SQL+Server&Encrypt=yes to it"
        raise SettingsError("the URL does not say which ODBC driver to use", where=where, hint=hint)
    return url


def _check_keywords(url: URL, where: str) -> None:
    unknown = [key for key in url.query if key.lower() not in KEYWORDS]
    if unknown:
        hint = choices(unknown[0], KEYWORDS.values(), what="mssql-python knows")
        raise SettingsError(f"the URL has '{unknown[0]}', which mssql-python does not know", where=where, hint=hint)


def _lacks(url: URL, where: str, what: str, example: str) -> SettingsError:
    del url  # it may hold a password
    return SettingsError(f"the URL {what}", where=where, hint=f"write {example}")


def _plain(query: Mapping[str, Any]) -> dict[str, str]:
    """Each key's value, as pymssql wants it."""
    return {key: value if isinstance(value, str) else value[-1] for key, value in query.items()}


def security(url: URL) -> str:
    """How a connection by this URL is protected, which one that was made has proven."""
    words = {key.lower(): str(value).lower() for key, value in url.query.items()}
    if url.drivername.endswith("pymssql"):
        if words.get("encryption") != "require":
            return "WARNING perhaps not encrypted: encryption=require makes sure"
        return "encrypted, WARNING certificate not verified, which pymssql cannot do"
    if words.get("encrypt", "yes") in {"no", "optional", "false"}:
        return "WARNING not encrypted"
    if words.get("trustservercertificate", "no") in {"yes", "true"}:
        return "encrypted, WARNING certificate not verified, as trust_server_certificate asks"
    return "encrypted, certificate verified"
