"""card: it shows the verdict and its reasons for every kind of run, and escapes text from outside."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from components.artifacts.anomalies import Anomalies, Anomaly
from components.artifacts.artifact import RuleResult
from components.artifacts.promotion import DiscordantImage, Promotion
from pipeline.engine.outcome import Outcome
from serving.registry.registry import Registry
from tests.pipeline.report.conftest import HOSTILE, artifacts_of, record_of
from tests.pipeline.report.html_page import SCRIPT, Page, page_of, require_harmless, write_default_card
from tests.serving.tiny_bundle import publish, seal

SECTIONS = {"gates", "training", "classes", "calibration", "images", "data", "steps", "lineage", "environment"}
ATTACKS = (
    SCRIPT,
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "</style></svg><b>",
    "&lt;&amp;",
    "javascript:alert(1)",
)


def test_card_of_a_complete_run_shows_every_section(runs):
    page = page_of(runs, runs.made())
    require_harmless(page)
    sections = {attributes["id"] for tag, attributes in page.elements if tag == "section"}
    assert sections >= SECTIONS
    assert {"#gates", "#data", "#lineage"} <= set(page.values("href"))
    labels = page.values("aria-label")
    assert sum(label.startswith(("loss over", "accuracy over")) for label in labels) == 2
    assert any(label.startswith("confusion matrix of 90 test images") for label in labels)
    assert page.values("src")
    assert all(page.values("alt"))


def test_precision_recall_and_f1_of_each_class(runs):
    made = runs.made()
    evaluation = artifacts_of(made, runs.store).load("evaluate", type(runs.by_hand().evaluation))
    page = page_of(runs, made)
    counts = np.array(evaluation.confusion)
    for label, name in enumerate(("one", "two", "three")):
        precision = counts[label, label] / counts[:, label].sum()
        recall = counts[label, label] / counts[label].sum()
        f1 = 2 * precision * recall / (precision + recall)
        row = page.text.split(f" {name} {counts[label].sum()} ")[1].split()[:6]
        assert [row[0], row[2], row[4]] == [f"{value:.4f}" for value in (precision, recall, f1)]


@pytest.mark.parametrize("serves", ["this model", "another one", "a damaged pointer", "none"])
def test_version_is_shown_if_the_runs_own_model_serves(runs, serves):
    """Another run may have promoted to the same registry before this card was written."""
    models = runs.store.root.parent / "models"
    if serves in ("this model", "another one"):
        publish(Registry(models), seal(models.parent / "candidate"), "mnist")
    if serves == "a damaged pointer":
        (models / "mnist").mkdir(parents=True)
        (models / "mnist" / "promoted.json").write_text("{")
    made = runs.made(())
    record = record_of("0001", {"promote": made["promote"]}, runs.store.root)
    bundle = seal(models.parent / "bundle", seed=1 if serves == "another one" else 0).sha256
    card = write_default_card(replace(record, figures={"bundle": bundle}), runs.store)
    facts = Page(card.read_text(encoding="utf-8")).text.split(" Model ")[1].split(" Data set ")[0]
    assert facts == ("mnist, version 1" if serves == "this model" else "mnist")


@pytest.mark.parametrize(
    ("value", "shown"),
    [([128, 64], "128 · 64"), ((128, 64), "128 · 64"), ((), "–"), ("", "–"), (0.0, "0.0"), (None, "None")],
)
def test_setting_of_the_configuration_is_shown_as_a_reader_writes_it(runs, value, shown):
    train = {"preset": "linear", "hidden": value, "epochs": 3}
    assert f"preset linear, hidden {shown}, epochs 3" in page_of(runs, {}, "failed", train=train).text


def test_libraries_of_inner_steps_are_shown(runs):
    made = runs.made(("analyze", "train"))
    for step, libraries in (("train", {"keras": "3.99"}), ("analyze", {"onnx": "1.99"})):
        file = runs.store.artifact_folder(made[step].artifact) / "record.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "parts": {"libraries": libraries}}))
    outcomes = {"train": replace(made["train"], inner=(made["analyze"].artifact,))}
    page = Page(
        write_default_card(record_of("0001", outcomes, runs.store.root), runs.store).read_text(encoding="utf-8")
    )
    assert "keras 3.99, onnx 1.99" in page.text.replace(" ,", ",")


def test_arguments_durations_and_libraries_are_shown(runs):
    made = runs.made(("ingest", "train"))
    (folder,) = (runs.store.root / "artifacts").glob("train-*")
    stored = json.loads((folder / "record.json").read_text())
    (folder / "record.json").write_text(json.dumps({**stored, "parts": {"libraries": {"keras": "3.99", "numpy": "2"}}}))
    made = {name: replace(made[name], seconds=seconds) for name, seconds in (("ingest", 2.0), ("train", 8.25))}
    record = replace(record_of("0001", made, runs.store.root), arguments=("--model", "two words"))
    page = Page(write_default_card(record, runs.store).read_text(encoding="utf-8"))
    assert "python -m pipeline run --model 'two words'" in page.text
    # Of 12.5 seconds.
    assert "ingest executed 2.00 train executed 8.25 start and end 2.25" in page.text
    assert "keras 3.99 , numpy 2" in page.text.replace("3.99,", "3.99 ,")


def test_card_of_a_refused_run_starts_with_the_reason(runs):
    reason = "refused by evaluate: accuracy 0.9261 (9,261 of 10,000), lower bound 0.9208 < 0.96"
    made = {**runs.made(("ingest", "analyze")), "evaluate": Outcome("evaluate", "refused", reasons=(reason,))}
    page = page_of(runs, {name: made[name] for name in ("ingest", "analyze", "evaluate")}, "refused")
    begun = page.text[: page.text.index("Model")]
    assert "refused Refused at the step evaluate : nothing was promoted" in begun
    assert begun.strip().endswith(reason)


def test_card_of_a_failed_run_starts_with_the_error(runs):
    error = "training diverged, the loss is nan after epoch 1: give a smaller --train.learning-rate"
    made = runs.made(("ingest", "analyze")) | {
        "train": Outcome("train", "failed", reasons=(error,), exit_code=1),
        "evaluate": Outcome("evaluate", "skipped", reasons=("train failed",)),
    }
    page = page_of(runs, made, "failed")
    require_harmless(page)
    begun = page.text[: page.text.index("Model")]
    assert "failed Failed at the step train" in begun
    assert error in begun
    assert "../logs/0001.log" in page.values("href")


def test_run_without_artifacts_has_a_card(runs):
    page = page_of(runs, {"ingest": Outcome("ingest", "failed", reasons=("no network",), exit_code=1)}, "failed")
    assert "Failed at the step ingest" in page.text
    assert "no network" in page.text


def test_text_from_outside_is_escaped(runs):
    names = (*ATTACKS, *HOSTILE)
    made = runs.made(names=names)
    # The last character reverses the direction of the text after it.
    turned = f"{SCRIPT}\u202e"
    anomaly = Anomaly("leaks", turned, f"rows of {turned}\nand more", "warn")
    folder = runs.store.root.parent / "anomalies"
    folder.mkdir()
    made["validate"] = runs.commit("validate", Anomalies.of(folder, [anomaly], ("leaks",), (turned,)).save())
    made["promote"] = Outcome("promote", "refused", reasons=(f"{turned} is worse",), summary=turned, because=(turned,))
    page = page_of(runs, made, "refused", model=turned)
    require_harmless(page)
    for attack in ATTACKS:
        assert attack in page.text
    assert "\\u200f" not in page.text
    assert "line\\nbreak\\ttab\\x00" in page.text
    assert page.text.isprintable()


def promotion(folder, discordant=(), **found):
    folder.mkdir()
    rule = RuleResult("champion", True, "against champion version 3")
    return Promotion(
        path=folder, model="m", version=4, bundle_sha256="b", champion=3, discordant=discordant, rules=(rule,), **found
    )


def test_discordant_images_are_shown_with_both_predictions(runs):
    made = runs.made()
    pairs = (DiscordantImage(5, 0, 1, 0), DiscordantImage(7, 2, 2, 1), DiscordantImage(9, 2, 2, 0))
    found = promotion(runs.store.root.parent / "promotion", pairs, gained=1, lost=20, p=0.0123)
    made["promote"] = runs.commit("promote", found.save())
    page = page_of(runs, made)
    assert "1 are predicted correctly by the candidate alone, and 20 by the champion alone;" in page.text
    assert "p = 0.0123" in page.text
    assert "Gained: the candidate is correct, the champion was wrong one , not two row 5" in page.text
    assert "(the first 2) three , not two row 7 three , not one row 9" in page.text


def test_card_says_that_champion_and_candidate_were_not_compared(runs):
    made = runs.made()
    made["promote"] = runs.commit("promote", promotion(runs.store.root.parent / "promotion").save())
    assert "The two were not compared: against champion version 3" in page_of(runs, made).text


@pytest.mark.parametrize("written", ["[]", "[" * 5000, "{}", "not JSON"])
def test_damaged_artifact_is_reported_and_the_rest_is_shown(runs, written):
    made = runs.made()
    (file,) = runs.store.root.glob("artifacts/evaluate-*/payload/evaluation.json")
    file.write_text(written)
    page = page_of(runs, made)
    assert "the output of evaluate cannot be shown" in page.text
    assert "Steps" in page.text
