"""docs/reference.md: it is what the code says now, and nothing that a user can type is missing."""

from __future__ import annotations

import ast
import re
import subprocess

import pytest

from pipeline.__main__ import COMMANDS, main
from serving import batch_score
from tests.conftest import ROOT
from tools import reference

TEXT = reference.TARGET.read_text(encoding="utf-8")
SCORER = "serving.batch_score"


def section(title):
    return re.split(r"^## ", TEXT.partition(f"## {title}\n")[2], flags=re.MULTILINE)[0]


def cells(text):
    """The cells of all rows, as a reader sees them."""
    rows = [line.strip("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)] for row in rows]


def helped(title, capsys):
    with pytest.raises(SystemExit):
        batch_score.main(["--help"]) if title == SCORER else main([title.split()[1], "--help"])
    return capsys.readouterr().out


def test_page_is_what_the_code_says_now():
    assert reference.reference() == TEXT, "run: python -m tools.reference"


@pytest.mark.parametrize("title", [*(f"pipeline {name}" for name in COMMANDS), SCORER])
def test_every_flag_of_the_help_has_a_row_with_its_meaning(title, capsys):
    rows = {name: row for row in cells(section(title)) for name in re.findall(r"`([^`]+)`", row[0])}
    # At the beginning of a line, or of one in a box, or after the flag that it is the opposite of.
    flags = set(re.findall(r"(?:^|, )[│| ]*(--[a-z][\w.-]*)", helped(title, capsys), flags=re.MULTILINE)) - {"--help"}
    assert flags
    assert not flags - set(rows)
    assert all(len(row) == 4 and row[3] for row in rows.values())


@pytest.mark.parametrize(
    ("flag", "value", "default"),
    [
        ("--train.hidden", "whole numbers, 1 to 65,536", "`128 128`"),
        ("--train.decay", "`none`, `cosine`", "`none`"),
        ("--train.convolutions", "whole numbers, 1 to 65,536", "none"),
        ("--ingest.resize", "2 whole numbers or `None`, 1 to 4,096", "`None`"),
        ("--validate.off", "any of the names below", "none"),
        ("--force", "–", "off"),
        ("--runs", "path", "`runs`"),
    ],
)
def test_a_flag_of_run_has_its_value_and_default(flag, value, default):
    (row,) = [row for row in cells(section("pipeline run")) if f"`{flag}`" in row[0].split(", ")]
    assert row[1:3] == [value, default]


def test_every_target_and_variable_of_make_is_there():
    # Run by make, make would say where it is.
    command = ["make", "--no-print-directory", "help"]
    dry = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets, variables = re.findall(r"make ([a-z-]+)", dry), dry.partition("variables: ")[2].split()
    assert {"pipeline", "score"} <= set(targets)
    rows = {row[0]: row for row in cells(section("make"))}
    for name in [*(f"`make {target}`" for target in targets), *(f"`{variable}`" for variable in variables)]:
        assert rows[name][-1]


def names_of(tree):
    """The names that a module gives to text: {name: text}."""
    named = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
            if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = zip(node.targets[0].elts, node.value.elts, strict=True)
            named |= {ast.unparse(name): text.value for name, text in pairs if isinstance(text, ast.Constant)}
    return named


def test_every_variable_of_the_environment_that_the_code_reads_is_there():
    """As `os.environ[NAME]`, or as an argument of `os.environ.get` and `os.environ.setdefault`."""
    found = set()
    for package in ("pipeline", "components", "serving"):
        for file in (ROOT / package).rglob("*.py"):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                key = None
                if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
                    key = node.slice
                elif isinstance(node, ast.Call) and ast.unparse(node.func).startswith("os.environ."):
                    key = node.args[0]
                if key is not None:
                    found.add(key.value if isinstance(key, ast.Constant) else names_of(tree).get(ast.unparse(key)))
    assert {"TFDS_DATA_DIR", "COLUMNS", "MLFLOW_EXPERIMENT_NAME"} <= found
    # A name that goes through a variable means several names, which other code reads.
    assert found - {None} <= {row[0].strip("`") for row in cells(section("Environment variables"))}
