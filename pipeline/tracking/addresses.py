"""URIs of MLflow: which of them are files of SQLite, without credentials, and relative to a folder that may move."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

SQLITE = "sqlite:///"


def without_credentials(uri: str) -> str:
    """A URI without user, password and query; a URI without a host, such as SQLite's, is unchanged."""
    parts = urlsplit(uri)
    if not parts.netloc:
        return uri
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def sqlite_uri(path: Path) -> str:
    """The URI of a file. MLflow also creates a folder with the quoted name, so only what must be quoted is quoted."""
    return SQLITE + _quoted(str(path))


def sqlite_file(uri: str) -> Path | None:
    """The file of a URI of SQLite; None for another URI, and for a database in memory."""
    path = _sqlite_path(uri)
    return None if path is None else Path(unquote(path.partition("?")[0]))


def absolute(uri: str, folder: Path) -> str:
    """A URI that does not depend on a folder, as SQLite's relative ones do."""
    path = _sqlite_path(uri)
    if path is None or path.startswith("/"):
        return uri
    return SQLITE + os.path.normpath(f"{_quoted(str(folder.resolve()))}/{path}")


def relative(uri: str, folder: Path) -> str:
    """A URI of SQLite that names the same file from a folder, also after both have moved."""
    path, file = _sqlite_path(uri), sqlite_file(uri)
    if path is None or file is None:
        return uri
    _, mark, query = path.partition("?")
    return f"{SQLITE}{_quoted(os.path.relpath(file.resolve(), folder.resolve()))}{mark}{query}"


def _sqlite_path(uri: str) -> str | None:
    """The quoted path of a file, with a query if there is one."""
    path = uri.removeprefix(SQLITE)
    return None if path == uri or not path or path.startswith(":") else path


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3F").replace("#", "%23")
