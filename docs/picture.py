"""Draws docs/mnist.png, the README's picture, from the artifacts of a run: `python -m docs.picture`."""

from __future__ import annotations

import argparse
from pathlib import Path

from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from pipeline.history import History
from pipeline.report.confusion import draw_confusion
from pipeline.report.predictions import draw_predictions
from pipeline.report.style import drawing, new_figure, save_png
from pipeline.store import PAYLOAD


def main() -> None:
    """Reads the newest run that was promoted and writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=Path("docs/mnist.png"))
    given = parser.parse_args()
    record = [record for record in History(given.runs).records() if record.verdict == "promoted"][-1]
    folders = {step.name: given.runs / "artifacts" / str(step.artifact) / PAYLOAD for step in record.steps}
    draw(Examples.load(folders["ingest"]), Evaluation.load(folders["evaluate"]), given.out)


def draw(examples: Examples, evaluation: Evaluation, target: Path) -> None:
    """Single test images with what the model says of them, beside the confusion matrix of all of them."""
    with drawing():
        figure = new_figure(11, 5.8)
        left, right = figure.subfigures(1, 2)
        draw_predictions(left.subplots(), examples, evaluation, columns=2)
        draw_confusion(right.subplots(), evaluation, examples.class_names)
        save_png(figure, target)


if __name__ == "__main__":
    main()
