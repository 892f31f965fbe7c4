"""files: under each test image stands the file that it was, of sets that come from files."""

from __future__ import annotations

import json

import numpy as np
import pytest

from components.artifacts.promotion import Pair, Promotion
from pipeline.report.files import read_files
from pipeline.report.gallery import discordant_images, looked_at, sample_images
from pipeline.report.page import shortened
from tests.pipeline.report.test_card import SCRIPT, Page, card

LONG = "a/" + "very_long_name_" * 20 + "254.png"


def name_files(examples, split="test"):
    """Gives each row of a split a file of its own, as ingest writes them."""
    first, names = 0, []
    for block in examples.blocks[split]:
        here = [f"{split}/{row}.png" for row in range(first, first + block.rows)]
        (examples.path / block.names_file).write_text(json.dumps(here), encoding="utf-8")
        names += here
        first += block.rows
    return names


def test_each_row_has_its_own_file_in_whatever_order_they_are_asked_for(by_hand):
    examples = by_hand().examples
    names = name_files(examples)
    rows = np.array([89, 0, 30, 29, 31, 0])
    assert read_files(examples, "test", rows) == [names[row] for row in rows]
    assert read_files(examples, "train", rows) == [None] * len(rows)


def test_only_blocks_that_are_needed_are_read(by_hand):
    examples = by_hand().examples
    name_files(examples)
    (examples.path / examples.blocks["test"][1].names_file).write_text("no JSON")
    assert read_files(examples, "test", np.array([29])) == ["test/29.png"]
    with pytest.raises(ValueError, match="Expecting value"):
        read_files(examples, "test", np.array([30]))


def test_every_image_of_a_card_has_its_own_file(by_hand):
    made = by_hand(skill=0.5)
    names = name_files(made.examples)
    for images in looked_at(made.examples, made.evaluation).values():
        assert images
        assert [image["file"] for image in images] == [names[image["row"]] for image in images]
    pairs = (Pair(45, 0, 1, 0), Pair(7, 2, 2, 1))
    promotion = Promotion(path=made.examples.path, model="m", version=1, bundle_sha256="b", pairs=pairs)
    assert [pair["file"] for pair in discordant_images(made.examples, promotion)] == [names[45], names[7]]
    for sample in sample_images(made.examples):
        assert [image["file"] for image in sample["test"]] == [names[image["row"]] for image in sample["test"]]
        assert {image["file"] for image in sample["train"]} == {None}


def test_card_shows_names_of_files_as_text_and_long_ones_shortened(runs):
    made = runs.made(skill=0.5)
    (folder,) = runs.store.root.glob("artifacts/ingest-*/payload")
    names = [SCRIPT if row % 2 else LONG for row in range(90)]
    (folder / "test-00000.files.json").write_text(json.dumps(names[:30]))
    (folder / "test-00001.files.json").write_text(json.dumps(names[30:]))
    # As it was committed: with its files.
    made["ingest"] = runs._commit("ingest", folder)
    page = Page(card(runs, made).read_text(encoding="utf-8"))
    assert "script" not in {tag for tag, _ in page.elements}
    assert {SCRIPT, LONG} <= set(page.values("title"))
    assert SCRIPT in page.text
    assert f" {shortened(LONG)} " in page.text
    assert LONG not in page.text


def test_card_of_a_set_without_files_has_none(runs):
    page = Page(card(runs, runs.made()).read_text(encoding="utf-8"))
    assert page.values("title") == []
    assert "file muted" not in page.values("class")


@pytest.mark.parametrize("length", [0, 1, 47, 48, 49, 300])
def test_of_a_long_name_beginning_and_end_stay(length):
    name = "".join(chr(ord("a") + place % 26) for place in range(length))
    short = shortened(name)
    assert len(short) == min(length, 48)
    begun, cut, ended = short.partition("…")
    assert name.startswith(begun)
    assert name.endswith(ended)
    assert bool(cut) == (length > 48)


def test_short_names_of_classes_are_not_broken_and_long_ones_are(runs):
    page = Page(card(runs, runs.made(names=("digit-7", "d" * 16, "d-" * 40))).read_text(encoding="utf-8"))
    shown = {found for found in page.values("class") if found.startswith("label")}
    assert shown == {"label", "label whole"}
    whole = [found for found in page.values("class") if found == "label whole"]
    assert len(whole) > len([found for found in page.values("class") if found == "label"])
    assert "td.name .whole { white-space: nowrap; }" in page.text
