"""A module -> the part of a step's key that is code: the syntax of the module and of the project modules it imports."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import re
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

from pipeline.engine.syntax_cache import Syntax, SyntaxCache

PROJECT = ("pipeline", "components", "serving")
# Libraries whose distribution has another name than the module.
DISTRIBUTIONS = {"PIL": "pillow", "google": "protobuf"}


def source_digests(module: str) -> dict[str, str]:
    """SHA-256 of the syntax of a module and of every project module that it imports, directly or not.

    Docstrings and comments are left out: they change no output.
    """
    return {name: _read(name).digest for name in sorted(_closure(module))}


def library_versions(module: str) -> dict[str, str]:
    """The installed version of every library that the module, or a project module behind it, imports."""
    libraries = {library for name in _closure(module) for library in _read(name).libraries}
    return {library: _version(library) for library in sorted(libraries)}


class _Module:
    """One source file: its digest, and the project modules and libraries that it imports."""

    def __init__(self, name: str, file: Path) -> None:
        self.digest, imported = _syntax_cache().get(file.read_bytes(), _parse)
        self.projects = {found for found in imported if found != name and found in _project_files()}
        tops = {found.partition(".")[0] for found in imported}
        self.libraries = tops - set(PROJECT) - sys.stdlib_module_names


@cache
def _syntax_cache() -> SyntaxCache:
    return SyntaxCache.beside(Path(__file__))


def _parse(content: bytes) -> Syntax:
    parts: list[str] = []
    imported: set[str] = set()
    _write_tree(ast.parse(content), parts, imported)
    return Syntax(hashlib.sha256("\0".join(parts).encode()).hexdigest(), tuple(sorted(imported)))


def _write_tree(node: ast.AST, parts: list[str], imported: set[str]) -> None:
    """Writes a syntax tree as text, without positions and docstrings, and collects its imports, in one pass.

    Planning reads some thirty files: `ast.dump` and separate passes take twice the time.
    """
    if isinstance(node, ast.Import):
        imported.update(alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        # A name that is imported from a package may be a module.
        imported.update([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
    parts.append(type(node).__name__)
    for field in node._fields:
        value = getattr(node, field, None)
        parts.append(field)
        if isinstance(value, ast.AST):
            _write_tree(value, parts, imported)
        elif isinstance(value, list):
            for item in value[_docstrings(node, field) :]:
                if isinstance(item, ast.AST):
                    _write_tree(item, parts, imported)
                else:
                    parts.append(repr(item))
            parts.append("]")
        else:
            parts.append(repr(value))


def _docstrings(node: ast.AST, field: str) -> int:
    """How many of a body's first statements are its docstring: 1 or 0."""
    if field != "body" or not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return 0
    return int(ast.get_docstring(node, clean=False) is not None)


@cache
def _closure(module: str) -> frozenset[str]:
    found: set[str] = set()
    open_ends = [module]
    while open_ends:
        name = open_ends.pop()
        if name not in found:
            found.add(name)
            open_ends.extend(_read(name).projects)
    _syntax_cache().save()
    return frozenset(found)


@cache
def _read(name: str) -> _Module:
    if (file := _file(name)) is None:
        raise ModuleNotFoundError(f"the source of {name} was not found")
    return _Module(name, file)


def _file(name: str) -> Path | None:
    """The source file of a module, without importing it."""
    top = name.partition(".")[0]
    return (_project_files() if top in PROJECT else _files_of(top)).get(name)


@cache
def _project_files() -> dict[str, Path]:
    return {name: file for top in PROJECT for name, file in _files_of(top).items()}


@cache
def _files_of(top: str) -> dict[str, Path]:
    """The source file of each module of a package: to look for every name alone takes ten times as long."""
    found = importlib.util.find_spec(top)
    if found is None or not found.submodule_search_locations:
        return {top: Path(found.origin)} if found is not None and found.origin else {}
    root = found.submodule_search_locations[0]
    files: dict[str, Path] = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != "__pycache__"]
        package = ".".join([top, *Path(folder).relative_to(root).parts])
        for file in names:
            stem, suffix = os.path.splitext(file)
            if suffix == ".py":
                files[package if stem == "__init__" else f"{package}.{stem}"] = Path(folder, file)
    return files


def _version(library: str) -> str:
    return _installed().get(_normalized(DISTRIBUTIONS.get(library, library)), "not installed")


@cache
def _installed() -> dict[str, str]:
    """The version of each installed distribution, by its name, from the names of their folders.

    `importlib.metadata` parses the whole description of each one, which takes longer than the rest of a key.
    """
    versions: dict[str, str] = {}
    for folder in sys.path:
        with suppress(OSError):
            for entry in sorted(os.listdir(folder or os.curdir)):
                name, separator, version = entry.removesuffix(".dist-info").partition("-")
                if separator and entry.endswith(".dist-info"):
                    versions.setdefault(_normalized(name), version)
    return versions


def _normalized(distribution: str) -> str:
    """A distribution's name as names are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
