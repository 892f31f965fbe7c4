"""The size and the names of modules: short files, small folders, and each name used once in its package."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("pipeline", "components", "serving")
MAX_LINES = 250
MAX_MODULES = 14

# The reader and the writer of one format have the format's name.
SAME_FORMAT = {"serving/batch/formats/npy.py", "serving/batch/inputs/npy.py"}
# Each step has parameters of its own.
SHARED_CLASSES = {"Params"}


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def repeated(names: list[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


@pytest.mark.parametrize("folder", [*PACKAGES, "benchmarks", "tools", "tests"])
def test_no_file_is_longer_than_the_limit(folder):
    lines = {file: file.read_text(encoding="utf-8").count("\n") for file in files(folder)}
    assert {str(file.relative_to(ROOT)): count for file, count in lines.items() if count > MAX_LINES} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folder_has_more_modules_than_the_limit(package):
    modules = Counter(file.parent.relative_to(ROOT) for file in files(package) if file.name != "__init__.py")
    assert {str(folder): count for folder, count in modules.items() if count > MAX_MODULES} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_module_name_is_used_once_in_its_package(package):
    modules = [file for file in files(package) if file.name not in ("__init__.py", "__main__.py")]
    names = [file.stem for file in modules if str(file.relative_to(ROOT)) not in SAME_FORMAT]
    assert repeated(names) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_class_name_is_used_once_in_its_package(package):
    classes = [
        node.name
        for file in files(package)
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name not in SHARED_CLASSES
    ]
    assert repeated(classes) == []
