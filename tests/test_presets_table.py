"""docs/presets.md: what it says follows from presets.json and presets.py, and from nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from scipy.stats import binomtest

from components.train.network import build_model
from pipeline.comparison.comparison import Comparison
from pipeline.settings.presets import MIN_ACCURACY, PRESETS
from tests.conftest import ROOT
from tests.pipeline.comparison.entries import comparison, entry, failed
from tools import presets

TEXT = (ROOT / "docs" / "presets.md").read_text(encoding="utf-8")
FILE = ROOT / "docs" / "presets.json"
RECORDED = {row["preset"]: row for row in json.loads(FILE.read_text(encoding="utf-8"))["entries"]}


def parsed(text):
    """The one table of a page: {preset: {heading: cell}}."""
    heading, rule, *lines = (line for line in text.splitlines() if line.startswith("|"))
    names = [cell.strip() for cell in heading.strip("|").split("|")]
    assert len(rule.strip("|").split("|")) == len(names)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert {len(cells) for cells in rows} == {len(names)}
    return {re.findall("`(.+)`", cells[0])[0]: dict(zip(names, cells, strict=True)) for cells in rows}


TABLE = parsed(TEXT)


def test_every_preset_has_its_line():
    assert list(TABLE) == list(RECORDED) == list(PRESETS)
    assert [name for name in TABLE if "(default)" in TABLE[name]["preset"]] == [presets.DEFAULT]


@pytest.mark.parametrize("name", list(PRESETS))
def test_figures_follow_from_the_recorded_values(name):
    line, recorded = TABLE[name], RECORDED[name]
    assert recorded["rows"] == 10_000
    assert line["test accuracy"].removesuffix(" (refused)") == f"{recorded['correct'] / 10_000:.4f}"
    wilson = binomtest(recorded["correct"], 10_000).proportion_ci(method="wilson")
    assert line["95 % interval"] == f"{wilson.low:.4f} to {wilson.high:.4f}"
    assert recorded["interval"] == pytest.approx([wilson.low, wilson.high], abs=1e-12)
    assert line["training"] == f"{recorded['training_seconds']:.1f} s"
    assert line["whole run"] == f"{recorded['run_seconds']:.1f} s"
    assert 0 < recorded["training_seconds"] < recorded["run_seconds"]
    if wilson.low < MIN_ACCURACY["mnist"]:
        assert recorded["verdict"] == "refused"
        assert recorded["onnx_bytes"] is None
        assert line["test accuracy"].endswith(" (refused)")
        assert line["ONNX"] == line["scored images/s"] == "–"
    else:
        # Four bytes a parameter, and some for the graph.
        assert 0 < recorded["onnx_bytes"] - 4 * recorded["parameters"] < 20_000
        assert line["ONNX"] == f"{recorded['onnx_bytes'] / 1000:,.0f} kB"
        assert 0 < recorded["rate"]["low"] <= recorded["rate"]["median"] <= recorded["rate"]["high"]
        shown = [float(number.replace(",", "")) for number in re.findall(r"[\d,]+", line["scored images/s"])]
        assert shown == pytest.approx([recorded["rate"][name] for name in ("median", "low", "high")], rel=0.005)


@pytest.mark.parametrize("name", list(PRESETS))
def test_recipe_is_that_of_the_preset(name):
    line, recorded, recipe = TABLE[name], RECORDED[name], PRESETS[name]
    assert int(line["epochs"]) == recorded["epochs"] == recipe.epochs
    assert int(line["batch"]) == recorded["batch_size"] == recipe.batch_size
    first, *layers = line["layers"].split(" → ")
    assert first == ("28×28×1" if recipe.convolutions else "784")
    dense = [f"{units} {recipe.hidden_activation}" for units in recipe.hidden]
    assert [layer for layer in layers if re.fullmatch(r"\d+ \w+", layer)] == [*dense, f"10 {recipe.output_activation}"]
    assert [int(layer.split()[0]) for layer in layers if "convolutions" in layer] == list(recipe.convolutions)
    assert [layer for layer in layers if "dropout" in layer] == [f"dropout {recipe.dropout:g}"] * bool(recipe.dropout)


@pytest.mark.parametrize("name", list(PRESETS))
def test_parameters_are_those_of_the_network(name):
    network = build_model((28, 28, 1), 10, PRESETS[name])
    assert int(TABLE[name]["parameters"].replace(",", "")) == RECORDED[name]["parameters"] == network.count_params()


def test_page_is_what_the_recorded_comparison_gives():
    assert presets.text(Comparison.load(FILE)) == TEXT


def test_picture_is_a_picture_and_nothing_tells_of_a_machine():
    assert (ROOT / "docs" / "presets.png").read_bytes().startswith(b"\x89PNG")
    assert Comparison.load(FILE).arguments == ()


def of_all(**changed):
    """A comparison of all presets that never ran."""
    whole = comparison(*(entry(preset, 980 - place, 1000) for place, preset in enumerate(PRESETS)))
    return replace(whole, **({"dataset": "mnist", "arguments": ()} | changed))


def test_three_files_are_written(tmp_path):
    of_all(arguments=("--data-dir", "/somewhere")).save(tmp_path / "0001.json")
    assert presets.main(["--comparison", str(tmp_path / "0001.json"), "--out", str(tmp_path)]) == 0
    table = parsed((tmp_path / "presets.md").read_text(encoding="utf-8"))
    assert list(table) == list(PRESETS)
    assert table["cnn"]["test accuracy"] == f"{0.98 - 0.001 * list(PRESETS).index('cnn'):.4f}"
    assert (table["cnn"]["training"], table["cnn"]["whole run"]) == ("12.5 s", "20.0 s")
    assert (tmp_path / "presets.png").read_bytes().startswith(b"\x89PNG")
    assert "somewhere" not in (tmp_path / "presets.json").read_text()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (of_all(arguments=("--train.epochs", "1")), "--train.epochs: the presets are compared unchanged"),
        (replace(of_all(), dataset="digits"), "the comparison is on digits"),
        (replace(of_all(), entries=of_all().entries[:-1]), "has no figures of cnn"),
        (replace(of_all(), entries=(*of_all().entries[:-1], failed("cnn"))), "has no figures of cnn"),
    ],
)
def test_another_comparison_is_refused_with_the_command(given, sentence, tmp_path, capsys):
    given.save(tmp_path / "0001.json")
    assert presets.main(["--comparison", str(tmp_path / "0001.json"), "--out", str(tmp_path)]) == 2
    recorded = capsys.readouterr().err
    assert sentence in recorded
    assert "python -m pipeline compare --dataset mnist" in recorded
    assert not list(tmp_path.glob("presets.*"))
