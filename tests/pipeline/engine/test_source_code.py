"""source_code: what counts as a change of code, and which modules are behind a module."""

from __future__ import annotations

import ast
import importlib.metadata
import textwrap

import pytest

from pipeline.engine import source_code
from pipeline.engine.source_code import _write_tree, library_versions, source_digests

SOURCE = '''
"""A module."""
import json


def find(values, limit=3):
    """Finds."""
    # a comment
    return [value for value in values if value > limit]


class Thing:
    """A thing."""
'''


def spelled(source: str) -> list[str]:
    message: list[str] = []
    _write_tree(ast.parse(textwrap.dedent(source)), message, set())
    return message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Finds."""', '"""Finds all that are above the limit."""'),
        ('"""A module."""', '"""Another sentence."""'),
        ("# a comment", "# another comment"),
        ("    return [value", "\n\n    return  [value"),
    ],
)
def test_comments_and_blanks_do_not_change_the_digest(old, new):
    assert spelled(SOURCE.replace(old, new)) == spelled(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("value > limit", "value >= limit"),
        ("limit=3", "limit=4"),
        ("limit=3", "limit='3'"),
        ("import json", "import pickle"),
        ("class Thing:", "class Thing(dict):"),
        ("def find", "async def find"),
    ],
)
def test_code_is_a_change(old, new):
    assert spelled(SOURCE.replace(old, new)) != spelled(SOURCE)


def test_string_that_is_not_a_docstring_counts():
    assert spelled("x = 1\n'one'") != spelled("x = 1\n'two'")


def test_distinct_trees_have_distinct_texts():
    assert spelled("f(a, [b], c)") != spelled("f(a, [b, c])")
    assert spelled("if a:\n  b\nc") != spelled("if a:\n  b\n  c")


def test_imports_inside_functions_are_found():
    behind = source_digests("components.export")
    assert {
        "components.export",
        "components.export.onnx_graph",
        "serving.bundle.bundle",
        "serving.files",
    } <= behind.keys()
    assert "components.train" not in behind
    assert not any(name.startswith("pipeline") for name in behind)


def test_key_of_verify_contains_the_scorer_of_its_isolated_process():
    assert {"serving.batch_score", "serving.batch.output"} <= source_digests("components.verify").keys()
    assert "tqdm" in library_versions("components.verify")


def test_key_of_a_component_contains_only_its_artifact_kinds():
    assert "components.artifacts.promotion" not in source_digests("components.train")


def test_libraries_are_found_inside_functions_too():
    versions = library_versions("components.train")
    assert versions["tensorflow"] == importlib.metadata.version("tensorflow")
    assert {"keras", "numpy"} <= versions.keys()
    assert "logging" not in versions
    assert "tensorflow" not in library_versions("components.validate")


def test_module_without_source_is_an_error():
    with pytest.raises(ModuleNotFoundError, match=r"components\.nowhere"):
        source_code.source_digests("components.nowhere")
