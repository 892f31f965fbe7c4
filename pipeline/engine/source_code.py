"""A module -> the part of a step's key that is code: the syntax of the module and of the project modules it imports."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
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
        self.projects = {found for found in imported if found != name and _is_project_module(found)}
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


def _is_project_module(name: str) -> bool:
    return name.partition(".")[0] in PROJECT and _file(name) is not None


@cache
def _version(library: str) -> str:
    try:
        return version(DISTRIBUTIONS.get(library, library))
    except PackageNotFoundError:
        return "not installed"
