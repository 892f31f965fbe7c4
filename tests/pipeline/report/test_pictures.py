"""pictures: every one can be drawn of whatever data, the same bytes each time, and knows what it depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.outcome import Outcome
from pipeline.report.payloads import Payloads
from pipeline.report.pictures import PICTURES
from pipeline.store import Store
from tests.pipeline.report.conftest import HOSTILE

MADE = {"ingest": "examples", "analyze": "statistics", "train": "model", "evaluate": "evaluation"}


class ByHand:
    """What a run made, taken from artifacts that are in no store."""

    def __init__(self, made):
        self.made = made

    def load(self, step, kind):
        return kind.load(getattr(self.made, MADE[step]).path)


def draw(picture, made, file):
    picture.draw(ByHand(made), file)
    return file.read_bytes()


def payloads(**digests):
    made = {step: Outcome(step, "cached", artifact=step, sha256=digest) for step, digest in digests.items()}
    return Payloads(made, Store(Path("runs")))


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.file)
@pytest.mark.parametrize(
    ("names", "shape"),
    [
        (HOSTILE, (6, 5, 1)),
        (HOSTILE * 3, (4, 4, 3)),
        (("only",), (1, 1, 1)),
        (("two", "classes"), (200, 300, 4)),
        (("wide", "images"), (2, 64, 2)),
    ],
    ids=["hostile", "many", "one", "large", "wide"],
)
def test_picture_is_drawn_without_a_warning_and_is_not_blank(by_hand, decoded, tmp_path, picture, names, shape):
    # Warnings are errors here: a sign that the font lacks would be one.
    draw(picture, by_hand(names, shape=shape, rows=60), tmp_path / "picture.png")
    pixels = decoded(tmp_path / "picture.png")
    assert min(pixels.shape[:2]) > 100
    assert max(pixels.shape[:2]) < 3000
    assert (pixels != 255).any(axis=2).mean() > 0.01


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.file)
def test_same_artifacts_have_the_same_bytes(by_hand, tmp_path, picture):
    made = by_hand(("cat", "dog", "fox"))
    assert draw(picture, made, tmp_path / "one.png") == draw(picture, made, tmp_path / "two.png")
    other = by_hand(("cat", "dog", "fox"), rows=99, epochs=4)
    assert draw(picture, other, tmp_path / "other.png") != (tmp_path / "one.png").read_bytes()


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.file)
def test_identity_is_of_the_artifacts_that_are_shown_and_of_no_others(picture):
    digests = dict.fromkeys([*MADE, "export"], "a")
    for step in digests:
        changed = picture.identity(payloads(**{**digests, step: "b"})) != picture.identity(payloads(**digests))
        assert changed == (step in picture.artifacts)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.file)
@pytest.mark.parametrize(
    ("function", "said"),
    [("source_digests", {"pipeline.report.style": "changed"}), ("library_versions", {"matplotlib": "99"})],
)
def test_identity_is_of_the_code_and_the_libraries(picture, monkeypatch, function, said):
    from pipeline.report import payloads as module

    real, made = getattr(module, function), payloads(**dict.fromkeys(MADE, "a"))
    assert said.keys() <= real(picture.figure.__module__).keys()
    before = picture.identity(made)
    monkeypatch.setattr(module, function, lambda module: real(module) | said)
    assert picture.identity(made) != before
