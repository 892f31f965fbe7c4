"""Draws docs/mnist.png, the README's picture, from the artifacts of a run: `python -m tools.picture`."""

from __future__ import annotations

import argparse
from pathlib import Path

from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from pipeline.engine.store import Store
from pipeline.records.run_artifacts import RunArtifacts
from pipeline.records.run_history import RunHistory
from pipeline.report.figures.confusion_plot import draw_confusion
from pipeline.report.figures.prediction_plot import draw_predictions
from pipeline.report.figures.style import drawing, new_figure, to_png


def main() -> None:
    """Reads the newest run that was promoted and writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=Path("docs/mnist.png"))
    given = parser.parse_args()
    record = [record for record in RunHistory(given.runs).records() if record.verdict == "promoted"][-1]
    run = RunArtifacts(record, Store(given.runs))
    draw(run.load("ingest", Examples), run.load("evaluate", Evaluation), given.out)


def draw(examples: Examples, evaluation: Evaluation, target: Path) -> None:
    """Single test images with what the model says of them, beside the confusion matrix of all of them."""
    with drawing():
        figure = new_figure(11, 5.8)
        left, right = figure.subfigures(1, 2, squeeze=False)[0]
        draw_predictions(left.subplots(), examples, evaluation, columns=2)
        draw_confusion(right.subplots(), evaluation, examples.class_names)
        target.write_bytes(to_png(figure))


if __name__ == "__main__":
    main()
