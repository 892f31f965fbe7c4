"""The part of a key that is code: the syntax of a module and of the project's modules that it imports."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PROJECT = ("pipeline", "components", "serving")
# Libraries that are installed under another name than they are imported by.
DISTRIBUTIONS = {"PIL": "pillow", "google": "protobuf"}


def source_digests(module: str) -> dict[str, str]:
    """SHA-256 of the syntax of a module and of every project module that it imports, directly or not.

    Docstrings and comments are left out: what they say changes nothing that is made.

    Args:
        module: its full name, e.g. `components.train`.
    """
    return {name: _read(name).digest for name in sorted(_closure(module))}


def library_versions(module: str) -> dict[str, str]:
    """The installed version of every library that the module, or a project module behind it, imports."""
    libraries = {library for name in _closure(module) for library in _read(name).libraries}
    return {library: _version(library) for library in sorted(libraries)}


class _Module:
    """What one source file says: its digest, the project modules and the libraries that it imports."""

    def __init__(self, name: str, file: Path) -> None:
        words: list[str] = []
        imported: set[str] = set()
        _spell(ast.parse(file.read_text(encoding="utf-8"), str(file)), words, imported)
        self.digest = hashlib.sha256("\0".join(words).encode()).hexdigest()
        self.projects = {found for found in imported if found != name and _is_project_module(found)}
        tops = {found.partition(".")[0] for found in imported}
        self.libraries = tops - set(PROJECT) - sys.stdlib_module_names


def _spell(node: ast.AST, words: list[str], imported: set[str]) -> None:
    """Spells a syntax tree out without places and docstrings, and collects what it imports, in one pass.

    Planning reads some thirty files so: `ast.dump` with separate passes for the rest takes twice the time.
    """
    if isinstance(node, ast.Import):
        imported.update(alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        # What is imported from a package may be a module too.
        imported.update([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
    words.append(type(node).__name__)
    for field in node._fields:
        value = getattr(node, field, None)
        words.append(field)
        if isinstance(value, ast.AST):
            _spell(value, words, imported)
        elif isinstance(value, list):
            for item in value[_docstrings(node, field) :]:
                if isinstance(item, ast.AST):
                    _spell(item, words, imported)
                else:
                    words.append(repr(item))
            words.append("]")
        else:
            words.append(repr(value))


def _docstrings(node: ast.AST, field: str) -> int:
    """How many of a body's first statements are its docstring: 1 or 0."""
    if field != "body" or not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return 0
    first = node.body[0] if node.body else None
    return int(
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )


@cache
def _closure(module: str) -> frozenset[str]:
    found: set[str] = set()
    open_ends = [module]
    while open_ends:
        name = open_ends.pop()
        if name not in found:
            found.add(name)
            open_ends.extend(_read(name).projects)
    return frozenset(found)


@cache
def _read(name: str) -> _Module:
    return _Module(name, _file(name) or _missing(name))


@cache
def _file(name: str) -> Path | None:
    """The source file of a module, without importing it."""
    top, *rest = name.split(".")
    found = importlib.util.find_spec(top)
    if found is None or not found.submodule_search_locations:
        return Path(found.origin) if found is not None and found.origin and not rest else None
    folder = Path(found.submodule_search_locations[0], *rest)
    for file in (folder.with_name(folder.name + ".py"), folder / "__init__.py"):
        if file.is_file():
            return file
    return None


def _missing(name: str) -> Path:
    raise ModuleNotFoundError(f"the source of {name} is not to be found")


def _is_project_module(name: str) -> bool:
    return name.partition(".")[0] in PROJECT and _file(name) is not None


@cache
def _version(library: str) -> str:
    try:
        return version(DISTRIBUTIONS.get(library, library))
    except PackageNotFoundError:
        return "not installed"
