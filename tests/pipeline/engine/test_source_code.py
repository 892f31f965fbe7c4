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
    behind = source_digests("components.export.convert")
    assert {
        "components.export.convert",
        "components.export.onnx_graph",
        "serving.bundle.bundle",
        "serving.files",
    } <= behind.keys()
    assert "components.export.export" not in behind
    assert "components.train" not in behind
    assert not any(name.startswith("pipeline") for name in behind)


def test_key_of_the_comparison_contains_the_scorer_of_its_isolated_process():
    assert {"serving.batch_score", "serving.batch.output"} <= source_digests("components.verify.agree").keys()
    assert "tqdm" in library_versions("components.verify.agree")


@pytest.mark.parametrize("step", ["evaluate", "export", "verify"])
def test_what_the_gate_changes_does_not_depend_on_tensorflow(step):
    assert not {"tensorflow", "keras"} & library_versions(f"components.{step}").keys()


def test_key_of_a_component_contains_only_its_artifact_kinds():
    assert "components.artifacts.promotion" not in source_digests("components.train")


def test_libraries_are_found_inside_functions_too():
    versions = library_versions("components.train")
    assert versions["tensorflow"] == importlib.metadata.version("tensorflow")
    assert {"keras", "numpy"} <= versions.keys()
    assert "logging" not in versions
    assert "tensorflow" not in library_versions("components.validate")


def test_versions_are_those_that_pip_installed():
    libraries = library_versions("components.export.convert") | library_versions("components.ingest")
    distributions = {name: source_code.DISTRIBUTIONS.get(name, name) for name in libraries}
    assert libraries == {name: importlib.metadata.version(given) for name, given in distributions.items()}
    assert len(libraries) > 10


def test_library_that_is_not_installed_has_no_version(monkeypatch, tmp_path):
    (tmp_path / "Some.Library-1.2+cpu.dist-info").mkdir()
    (tmp_path / "no_version.dist-info").mkdir()
    source_code._installed.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr("sys.path", [str(tmp_path / "gone"), str(tmp_path)])
        assert source_code._installed() == {"some-library": "1.2+cpu"}
        assert source_code._version("some_library") == "1.2+cpu"
        assert source_code._version("keras") == "not installed"
    source_code._installed.cache_clear()


def test_first_folder_of_the_path_counts(monkeypatch, tmp_path):
    for folder, version in (("first", "2.0"), ("second", "1.0")):
        (tmp_path / folder / f"library-{version}.dist-info").mkdir(parents=True)
    source_code._installed.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr("sys.path", [str(tmp_path / "first"), str(tmp_path / "second")])
        assert source_code._version("library") == "2.0"
    source_code._installed.cache_clear()


def test_module_without_source_is_an_error():
    with pytest.raises(ModuleNotFoundError, match=r"components\.nowhere"):
        source_code.source_digests("components.nowhere")
