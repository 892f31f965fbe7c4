"""card_images: each image has its row and file, and a card shows file names and class names as text."""

from __future__ import annotations

import json

from components.artifacts.promotion import DiscordantImage, Promotion
from pipeline.report.card_images import data_uri, discordant_images, sample_images, selected_images
from pipeline.report.rendering import shortened
from tests.pipeline.report.conftest import name_files
from tests.pipeline.report.html_page import SCRIPT, page_of

LONG = "a/" + "very_long_name_" * 20 + "254.png"


def test_data_uri_contains_the_bytes():
    assert data_uri(b"\x89PNG") == "data:image/png;base64,iVBORw=="


def test_each_image_has_the_file_of_its_row(by_hand):
    made = by_hand(skill=0.5)
    names = name_files(made.examples)
    for images in selected_images(made.examples, made.evaluation).values():
        assert images
        assert [image["file"] for image in images] == [names[image["row"]] for image in images]
    pairs = (DiscordantImage(45, 0, 1, 0), DiscordantImage(7, 2, 2, 1))
    promotion = Promotion(path=made.examples.path, model="m", version=1, bundle_sha256="b", discordant=pairs)
    assert [pair["file"] for pair in discordant_images(made.examples, promotion)] == [names[45], names[7]]
    for sample in sample_images(made.examples):
        assert [image["file"] for image in sample["test"]] == [names[image["row"]] for image in sample["test"]]
        assert {image["file"] for image in sample["train"]} == {None}


def test_card_shows_file_names_as_text_and_shortens_long_ones(runs):
    made = runs.made(skill=0.5)
    (folder,) = runs.store.root.glob("artifacts/ingest-*/payload")
    names = [SCRIPT if row % 2 else LONG for row in range(90)]
    (folder / "test-00000.files.json").write_text(json.dumps(names[:30]))
    (folder / "test-00001.files.json").write_text(json.dumps(names[30:]))
    # Committed with its file names.
    made["ingest"] = runs._commit("ingest", folder)
    page = page_of(runs, made)
    assert "script" not in {tag for tag, _ in page.elements}
    assert {SCRIPT, LONG} <= set(page.values("title"))
    assert SCRIPT in page.text
    assert f" {shortened(LONG)} " in page.text
    assert LONG not in page.text


def test_card_of_a_data_set_without_files_shows_no_names(runs):
    page = page_of(runs, runs.made())
    assert page.values("title") == []
    assert "file muted" not in page.values("class")


def test_only_long_class_names_may_wrap(runs):
    page = page_of(runs, runs.made(names=("digit-7", "d" * 16, "d-" * 40)))
    shown = {found for found in page.values("class") if found.startswith("label")}
    assert shown == {"label", "label whole"}
    whole = [found for found in page.values("class") if found == "label whole"]
    assert len(whole) > len([found for found in page.values("class") if found == "label"])
    assert "td.name .whole { white-space: nowrap; }" in page.text
