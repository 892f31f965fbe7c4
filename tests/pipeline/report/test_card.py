"""card: says what came of a run and why, whatever came of it, and nothing from outside is more than text on it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from components.artifacts.anomalies import Anomalies, Anomaly
from components.artifacts.promotion import Pair, Promotion
from components.artifacts.rule import Rule
from pipeline.config import Config
from pipeline.definition import pipeline
from pipeline.options import parse_run
from pipeline.outcome import Outcome
from pipeline.report.card import worst_confusions, write_card
from pipeline.report.payloads import Payloads
from serving.registry import Registry
from tests.conftest import ROOT
from tests.pipeline.report.conftest import HOSTILE, record_of
from tests.serving.tiny_bundle import publish, seal

SECTIONS = ("gates", "training", "classes", "calibration", "images", "data", "steps", "lineage", "environment")
SCRIPT = "<script>alert('x')</script>"
ATTACKS = (
    SCRIPT,
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "</style></svg><b>",
    "&lt;&amp;",
    "javascript:alert(1)",
)


class Page(HTMLParser):
    """What a browser makes of a page: elements with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    def values(self, name):
        return [attributes[name] for _, attributes in self.elements if name in attributes]


def steps(config: Config | None = None):
    return pipeline(config or parse_run([]).config, "0001")


def card(runs, made, verdict="promoted", draw=True, run="0001", **told):
    record = record_of(run, made, runs.store.root, verdict, **told)
    return write_card(record, steps(), Payloads(made, runs.store), draw)


def page_of(runs, made, verdict="promoted", **more):
    return Page(card(runs, made, verdict, **more).read_text(encoding="utf-8"))


def harmless(page):
    """Nothing on it runs, and nothing is fetched; what it leads to stands beside it."""
    assert {tag for tag, _ in page.elements} & {"script", "iframe", "object", "embed", "form", "base"} == set()
    assert [name for _, attributes in page.elements for name in attributes if name.startswith("on")] == []
    assert all(source.startswith("data:image/png;base64,") for source in page.values("src"))
    led = {target for target in page.values("href") if not target.startswith("#")}
    assert led <= {"data:,", "../index.html", "../logs/0001.log"}


def test_card_of_everything_shows_everything(runs):
    page = page_of(runs, runs.made())
    harmless(page)
    sections = {attributes["id"] for tag, attributes in page.elements if tag == "section"}
    assert {
        "gates",
        "training",
        "classes",
        "calibration",
        "images",
        "data",
        "steps",
        "lineage",
        "environment",
    } <= sections
    assert {"#gates", "#data", "#lineage"} <= set(page.values("href"))
    labels = page.values("aria-label")
    assert sum(label.startswith(("loss over", "accuracy over")) for label in labels) == 2
    assert any(label.startswith("confusion matrix of 90 test images") for label in labels)
    # Mean images, samples of both splits, and the images with their probabilities.
    assert page.values("src")
    assert all(page.values("alt"))


def test_figures_of_the_classes_are_right(runs):
    made = runs.made()
    evaluation = Payloads(made, runs.store).load("evaluate", type(runs.by_hand().evaluation))
    page = page_of(runs, made)
    counts = np.array(evaluation.confusion)
    for label, name in enumerate(("one", "two", "three")):
        precision = counts[label, label] / counts[:, label].sum()
        recall = counts[label, label] / counts[label].sum()
        f1 = 2 * precision * recall / (precision + recall)
        row = page.text.split(f" {name} {counts[label].sum()} ")[1].split()[:6]
        assert [row[0], row[2], row[4]] == [f"{value:.4f}" for value in (precision, recall, f1)]


@pytest.mark.parametrize("serves", ["this model", "another one", "a damaged pointer", "none"])
def test_version_is_that_under_which_this_very_model_serves(runs, serves):
    """Another run may have promoted to the same registry before this page was written."""
    models = runs.store.root.parent / "models"
    if serves in ("this model", "another one"):
        publish(Registry(models), seal(models.parent / "candidate"), "mnist")
    if serves == "a damaged pointer":
        (models / "mnist").mkdir(parents=True)
        (models / "mnist" / "promoted.json").write_text("{")
    made = runs.made(())
    record = record_of("0001", {"promote": made["promote"]}, runs.store.root)
    bundle = seal(models.parent / "bundle", seed=1 if serves == "another one" else 0).sha256
    card = write_card(replace(record, figures={"bundle": bundle}), steps(), Payloads(made, runs.store))
    facts = Page(card.read_text(encoding="utf-8")).text.split(" Model ")[1].split(" Data set ")[0]
    assert facts == ("mnist, version 1" if serves == "this model" else "mnist")


def test_what_the_run_was_told_took_and_ran_on_is_there(runs):
    made = runs.made(("ingest", "train"))
    (folder,) = (runs.store.root / "artifacts").glob("train-*")
    record = json.loads((folder / "record.json").read_text())
    (folder / "record.json").write_text(json.dumps({**record, "parts": {"libraries": {"keras": "3.99", "numpy": "2"}}}))
    made = {name: replace(made[name], seconds=seconds) for name, seconds in (("ingest", 2.0), ("train", 8.25))}
    told = replace(record_of("0001", made, runs.store.root), arguments=("--model", "two words"))
    page = Page(write_card(told, steps(), Payloads(made, runs.store)).read_text(encoding="utf-8"))
    assert "python -m pipeline run --model 'two words'" in page.text
    # Of 12.5 seconds.
    assert "ingest executed 2.00 train executed 8.25 start and end 2.25" in page.text
    assert "keras 3.99 , numpy 2" in page.text.replace("3.99,", "3.99 ,")


def test_refused_run_leads_with_the_refusal_and_its_numbers(runs):
    reason = "refused by evaluate: accuracy 0.9261 (9,261 of 10,000), lower bound 0.9208 < 0.96"
    made = {**runs.made(("ingest", "analyze")), "evaluate": Outcome("evaluate", "refused", reasons=(reason,))}
    page = page_of(runs, {name: made[name] for name in ("ingest", "analyze", "evaluate")}, "refused")
    begun = page.text[: page.text.index("Model")]
    assert "refused Refused at the step evaluate : nothing was promoted" in begun
    assert begun.strip().endswith(reason)


def test_failed_run_leads_with_the_error_and_the_step(runs):
    error = "training diverged, the loss is nan after epoch 1: give a smaller --train.learning-rate"
    made = runs.made(("ingest", "analyze")) | {
        "train": Outcome("train", "failed", reasons=(error,), exit_code=1),
        "evaluate": Outcome("evaluate", "skipped", reasons=("train failed",)),
    }
    page = page_of(runs, made, "failed")
    harmless(page)
    begun = page.text[: page.text.index("Model")]
    assert "failed Failed at the step train" in begun
    assert error in begun
    assert "../logs/0001.log" in page.values("href")


def test_run_that_made_nothing_has_a_card(runs):
    page = page_of(runs, {"ingest": Outcome("ingest", "failed", reasons=("no network",), exit_code=1)}, "failed")
    assert "Failed at the step ingest" in page.text
    assert "no network" in page.text


def test_what_comes_from_outside_is_text(runs):
    names = (*ATTACKS, *HOSTILE)
    made = runs.made(names=names)
    # It turns the direction of reading around.
    turned = f"{SCRIPT}\u202e"
    anomaly = Anomaly("leaks", turned, f"rows of {turned}\nand more", "warn")
    folder = runs.store.root.parent / "anomalies"
    folder.mkdir()
    made["validate"] = runs.commit("validate", Anomalies.of(folder, [anomaly], ("leaks",), (turned,)).save())
    made["promote"] = Outcome("promote", "refused", reasons=(f"{turned} is worse",), summary=turned, because=(turned,))
    page = page_of(runs, made, "refused", model=turned)
    harmless(page)
    for attack in ATTACKS:
        assert attack in page.text
    assert "\\u200f" not in page.text
    assert "line\\nbreak\\ttab\\x00" in page.text
    assert page.text.isprintable()


def promotion(folder, pairs=(), **found):
    folder.mkdir()
    rule = Rule("champion", True, "against champion version 3")
    return Promotion(
        path=folder, model="m", version=4, bundle_sha256="b", champion=3, pairs=pairs, rules=(rule,), **found
    )


def test_discordant_images_are_shown_by_what_they_were_taken_for(runs):
    made = runs.made()
    pairs = (Pair(5, 0, 1, 0), Pair(7, 2, 2, 1), Pair(9, 2, 2, 0))
    found = promotion(runs.store.root.parent / "promotion", pairs, gained=1, lost=20, p=0.0123)
    made["promote"] = runs.commit("promote", found.save())
    page = page_of(runs, made)
    assert "the candidate alone is right on 1 , the champion alone on 20 ;" in page.text
    assert "p = 0.0123" in page.text
    assert "Gained: right now, and wrong before one , not two row 5" in page.text
    assert "(the first 2) three , not two row 7 three , not one row 9" in page.text


def test_card_of_a_comparison_that_was_not_made_says_so(runs):
    made = runs.made()
    made["promote"] = runs.commit("promote", promotion(runs.store.root.parent / "promotion").save())
    assert "The two were not compared: against champion version 3" in page_of(runs, made).text


def test_same_run_has_the_same_bytes_and_another_is_drawn_anew(runs):
    made = runs.made()
    first, again = card(runs, made).read_bytes(), card(runs, made).read_bytes()
    assert first == again
    assert card(runs, {**made, "evaluate": runs.made(("evaluate",), skill=0.1)["evaluate"]}).read_bytes() != first


def test_what_was_drawn_is_not_drawn_again(runs):
    made = runs.made()
    first = card(runs, made).read_text()
    record = record_of("0001", made, runs.store.root)
    code = f"""
import sys
sys.modules["matplotlib"] = sys.modules["tensorflow"] = sys.modules["apache_beam"] = None
from pathlib import Path
from pipeline.definition import pipeline
from pipeline.history import Record
from pipeline.options import parse_run
from pipeline.outcome import Outcome
from pipeline.report.card import write_card
from pipeline.report.payloads import Payloads
from pipeline.store import Store
payloads = Payloads({made!r}, Store(Path({str(runs.store.root)!r})))
write_card({record!r}, pipeline(parse_run([]).config, "0001"), payloads)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (runs.store.root / "reports" / "0001.html").read_text() == first


def test_interrupted_run_has_its_card_without_anything_being_drawn(runs, monkeypatch):
    def drawn(*arguments):
        raise AssertionError("somebody waits")

    monkeypatch.setattr("pipeline.report.parts.remembered", lambda file, make, draw: None if not draw else drawn())
    page = page_of(runs, runs.made(), "interrupted", draw=False)
    assert "interrupted" in page.text
    assert "Not shown" not in page.text


def test_part_that_cannot_be_drawn_is_told_on_the_card_and_the_others_are_there(runs, caplog):
    made = runs.made()
    (block,) = runs.store.root.glob("artifacts/ingest-*/payload/test-00001.images.npy")
    block.write_bytes(block.read_bytes()[:-1] + b"?")
    with caplog.at_level(logging.CRITICAL):
        page = page_of(runs, made)
    assert "Not shown" in page.text
    assert "samples could not be drawn: the artifact of ingest is not as it was committed" in page.text
    assert any(label.startswith("calibration curve") for label in page.values("aria-label"))


@pytest.mark.parametrize("written", ["[]", "[" * 5000, "{}", "no JSON"])
def test_artifact_that_was_written_over_is_told_and_the_rest_is_there(runs, written):
    made = runs.made()
    (file,) = runs.store.root.glob("artifacts/evaluate-*/payload/evaluation.json")
    file.write_text(written)
    page = page_of(runs, made)
    assert "what evaluate made cannot be shown" in page.text
    assert "Steps" in page.text


def test_memory_that_was_written_over_is_told_and_the_rest_is_there(runs):
    made = runs.made()
    card(runs, made)
    for file in (runs.store.root / "reports" / ".parts").iterdir():
        file.write_text("5")
    page = page_of(runs, made)
    assert "what was drawn cannot be shown" in page.text
    assert "Precision, recall and F1" in page.text


def test_few_images_have_no_formula_at_an_axis(runs):
    page = card(runs, runs.made(rows=30)).read_text()
    assert "mathdefault" not in page


def test_remembered_part_that_was_cut_off_is_drawn_again(runs):
    made = runs.made()
    first = card(runs, made).read_bytes()
    for file in (runs.store.root / "reports" / ".parts").iterdir():
        file.write_bytes(file.read_bytes()[:40])
    assert card(runs, made).read_bytes() == first


@pytest.mark.parametrize(
    ("names", "shape"),
    [(tuple(f"class {n}" for n in range(200)), (40, 60, 3)), (("a", "b"), (300, 300, 3)), (("one",), (1, 1, 1))],
    ids=["many", "large", "one"],
)
def test_card_stays_small_and_whole_whatever_the_images(runs, names, shape):
    # Noise is what compresses least.
    file = card(runs, runs.made(names=names, shape=shape, rows=120))
    assert file.stat().st_size < 3_000_000
    harmless(Page(file.read_text()))


def test_worst_confusions_come_first_and_equals_in_order():
    assert [(c.label, c.predicted, c.rows) for c in worst_confusions([[9, 1, 4], [4, 0, 0], [0, 7, 8]])] == [
        (2, 1, 7),
        (0, 2, 4),
        (1, 0, 4),
        (0, 1, 1),
    ]
    assert worst_confusions([[3, 0], [0, 5]]) == []
    assert len(worst_confusions(np.ones((9, 9), int).tolist())) == 10
