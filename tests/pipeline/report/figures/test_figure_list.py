"""figure_list: each figure can be drawn from any data, with the same bytes each time, and has the right cache key."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from pipeline.engine.outcome import Outcome
from pipeline.engine.store import Store
from pipeline.report.card_sections import SECTIONS
from pipeline.report.drawings import drawing_cache
from pipeline.report.figures.figure_list import CARD_PLOTS, PICTURES
from tests.pipeline.report.conftest import HOSTILE, MADE, artifacts_of

DRAWINGS = [*PICTURES, *CARD_PLOTS]
EVALUATED = [drawing for drawing in (*PICTURES, *SECTIONS) if "evaluate" in drawing.artifacts]


class RunOf:
    """The artifacts of a run, without a store."""

    def __init__(self, made):
        self.made = made

    def load(self, step, kind):
        return kind.load(getattr(self.made, MADE[step]).path)


def with_digests(tmp_path, **digests):
    made = {step: Outcome(step, "cached", artifact=step, sha256=digest) for step, digest in digests.items()}
    return artifacts_of(made, Store(tmp_path / "runs"))


def test_pictures_and_figures_of_the_card_have_their_names():
    assert [drawing.name for drawing in PICTURES] == [
        "class-balance.png",
        "samples.png",
        "learning-curves.png",
        "confusion-matrix.png",
        "predictions.png",
    ]
    svgs = ["class-balance", "loss", "accuracy", "confusion", "calibration"]
    assert [drawing.name for drawing in CARD_PLOTS] == [f"{name}.svg" for name in svgs]


@pytest.mark.parametrize("figure", DRAWINGS, ids=lambda figure: figure.name)
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
def test_figure_is_drawn_without_a_warning_and_is_not_blank(by_hand, decoded, tmp_path, figure, names, shape):
    # Warnings are errors here: a character that is not in the font causes one.
    content = figure.draw(RunOf(by_hand(names, shape=shape, rows=60)))
    if figure.name.endswith(".svg"):
        assert ElementTree.fromstring(content.decode().replace("xlink:", "")).iter("path")
        return
    (tmp_path / "picture.png").write_bytes(content)
    pixels = decoded(tmp_path / "picture.png")
    assert min(pixels.shape[:2]) > 100
    assert max(pixels.shape[:2]) < 3000
    assert (pixels != 255).any(axis=2).mean() > 0.01
    assert (pixels[0, 0] == 255).all()


@pytest.mark.parametrize("figure", DRAWINGS, ids=lambda figure: figure.name)
def test_same_artifacts_give_the_same_bytes(by_hand, figure):
    made = by_hand(("cat", "dog", "fox"))
    first = figure.draw(RunOf(made))
    assert figure.draw(RunOf(made)) == first
    assert figure.draw(RunOf(by_hand(("cat", "dog", "fox"), rows=99, epochs=4))) != first


@pytest.mark.parametrize("figure", DRAWINGS, ids=lambda figure: figure.name)
def test_key_depends_on_the_artifacts_of_the_figure_and_on_no_others(figure, tmp_path):
    digests = dict.fromkeys([*MADE, "export"], "a")
    before = figure.identity(with_digests(tmp_path, **digests))
    for step in digests:
        after = figure.identity(with_digests(tmp_path, **{**digests, step: "b"}))
        assert (after != before) == (step in figure.artifacts)


@pytest.mark.parametrize("figure", EVALUATED, ids=lambda figure: figure.name)
def test_limits_of_the_gate_change_neither_key_nor_bytes(runs, by_hand, figure):
    made, evaluation = by_hand(), by_hand().evaluation
    strict = replace(
        evaluation, min_accuracy=0.99, min_recall=0.9, rules=(), passed=False, reasons=("it is below the limit",)
    )
    others = {name: runs.commit(name, getattr(made, MADE[name])) for name in figure.artifacts if name != "evaluate"}
    # The same artifact in one folder; then with other limits, and with another loss.
    outcomes = [
        {**others, "evaluate": runs.commit("evaluate", judged.save())}
        for judged in (evaluation, strict, replace(strict, loss=0.5))
    ]
    first, second, third = (artifacts_of(made, runs.store) for made in outcomes)
    assert first.digests["evaluate"] != second.digests["evaluate"]
    assert figure.identity(first) == figure.identity(second) != figure.identity(third)
    assert figure.draw(first) == figure.draw(second)


@pytest.mark.parametrize("figure", DRAWINGS, ids=lambda figure: figure.name)
@pytest.mark.parametrize(
    ("function", "change"),
    [("source_digests", {"pipeline.report.figures.style": "changed"}), ("library_versions", {"matplotlib": "99"})],
)
def test_key_depends_on_the_code_and_the_libraries(figure, monkeypatch, function, change, tmp_path):
    real, run = getattr(drawing_cache, function), with_digests(tmp_path, **dict.fromkeys(MADE, "a"))
    assert change.keys() <= real(figure.module).keys()
    before = figure.identity(run)
    monkeypatch.setattr(drawing_cache, function, lambda module: real(module) | change)
    assert figure.identity(run) != before
