"""fallback: the embedded data set, with a notice, only if the user named no other."""

from __future__ import annotations

import logging
import re

import pytest

import components.ingest.tfds.tfds_source
from pipeline.settings.fallback import obtainable
from pipeline.settings.options import parse_run


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No network, nothing prepared. Returns the addresses that were asked for."""
    asked: list[str] = []

    def refusal(url):
        asked.append(url)
        return "cannot be reached (no network)"

    monkeypatch.setattr(components.ingest.tfds.tfds_source, "unreachable_reason", refusal)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.chdir(tmp_path)
    return asked


@pytest.fixture
def logged(caplog):
    logger = logging.getLogger("beamline")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def test_without_network_and_data_digits_are_used_with_a_notice(offline, logged):
    chosen = obtainable(parse_run(["--seed", "3", "--preset", "linear", "--", "--direct_num_workers=1"]))
    assert (chosen.config.ingest.dataset, chosen.config.model) == ("digits", "digits")
    assert (chosen.config.train.seed, chosen.config.train.preset) == (3, "linear")
    assert chosen.config.beam.arguments == ("--direct_num_workers=1",)
    assert chosen.config.evaluate.min_accuracy is not None
    notice = logged.text
    for part in (
        "NOTICE",
        "not prepared",
        "cannot be reached (no network)",
        "this run uses digits instead",
        "models/digits",
    ):
        assert part in notice
    for name in ("train-images", "train-labels", "t10k-images", "t10k-labels"):
        assert re.search(rf"^  [0-9a-f]{{64}}  https://\S+/{name}-idx\d-ubyte\.gz$", notice, re.MULTILINE)
    assert "--manual-dir FOLDER" in notice


@pytest.mark.parametrize(
    "arguments",
    [["--dataset", "mnist"], ["--dataset=mnist"], ["--model", "mine"], ["--dataset", "kmnist"]],
    ids=" ".join,
)
def test_named_data_set_or_model_is_never_replaced(offline, logged, arguments):
    request = parse_run(arguments)
    assert obtainable(request) is request
    assert offline == []
    assert logged.text == ""


@pytest.mark.parametrize("left", ["promoted.json", "1/manifest.json", "history.jsonl"])
def test_promoted_mnist_is_never_replaced(offline, tmp_path, left):
    file = tmp_path / "models" / "mnist" / left
    file.parent.mkdir(parents=True)
    file.write_text("damaged")
    request = parse_run([])
    assert obtainable(request) is request


def test_other_models_do_not_count(offline, tmp_path):
    (tmp_path / "models" / "digits" / "1").mkdir(parents=True)
    (tmp_path / "models" / "mnist").mkdir()
    (tmp_path / "models" / "mnist" / ".lock").touch()
    assert obtainable(parse_run([])).config.ingest.dataset == "digits"


def test_prepared_set_is_taken_without_asking_the_network(offline, tmp_path):
    info = tmp_path / "tfds" / "mnist" / "3.0.1" / "dataset_info.json"
    info.parent.mkdir(parents=True)
    info.write_text("{}")
    request = parse_run([])
    assert obtainable(request) is request
    assert offline == []


def test_manual_folder_comes_before_the_network(offline, mnist_dir):
    request = parse_run(["--manual-dir", str(mnist_dir)])
    assert obtainable(request) is request
    assert offline == []


def test_network_that_answers_is_used(offline, monkeypatch):
    monkeypatch.setattr(components.ingest.tfds.tfds_source, "unreachable_reason", lambda url: None)
    request = parse_run([])
    assert obtainable(request) is request
