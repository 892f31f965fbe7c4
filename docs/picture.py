"""Draws docs/mnist.png, the README's picture, from the artifacts of a run: `python -m docs.picture`."""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from pipeline.history import History
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
    """Test images with what the model says of them, beside the confusion matrix of all of them."""
    figure = plt.figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.15, 1))
    images = np.concatenate([examples.images(block) for block in examples.blocks["test"]])
    draw_samples(left, images, examples.all_labels("test"), evaluation.predictions(), examples.class_names)
    draw_confusion(right.subplots(), evaluation, examples.class_names)
    figure.savefig(target, dpi=110, metadata={"Software": None})


def draw_samples(figure, images, labels, predicted, names) -> None:
    """Two rows of images that the model gets right, one row of the first that it does not."""
    right, wrong = np.flatnonzero(labels == predicted)[:12], np.flatnonzero(labels != predicted)[:6]
    figure.suptitle("Test images, and what the promoted model says of them (last row: its errors)", fontsize=10)
    for axes, row in zip(figure.subplots(3, 6).flat, [*right, *wrong], strict=True):
        axes.imshow(images[row, ..., 0], cmap="gray_r")
        error = labels[row] != predicted[row]
        said = f"{names[predicted[row]]}, is {names[labels[row]]}" if error else names[predicted[row]]
        axes.set_title(said, fontsize=10, color="#d55e00" if error else "#0072b2")
        axes.axis("off")


def draw_confusion(axes: Axes, evaluation: Evaluation, names: tuple[str, ...]) -> None:
    """The confusion matrix with its counts; colour by the logarithm, so that the errors can be seen."""
    counts = np.array(evaluation.confusion)
    axes.imshow(np.log1p(counts), cmap="cividis")
    for (row, column), count in np.ndenumerate(counts):
        bright = np.log1p(count) > np.log1p(counts.max()) / 2
        axes.text(column, row, str(count), ha="center", va="center", fontsize=8, color="black" if bright else "white")
    axes.set(xticks=range(len(names)), xticklabels=names, yticks=range(len(names)), yticklabels=names)
    axes.set(xlabel="predicted class", ylabel="true class")
    low, high = evaluation.interval
    axes.set_title(
        f"{evaluation.rows:,} test images, accuracy {evaluation.accuracy:.4f} ({low:.4f} to {high:.4f})", fontsize=10
    )


if __name__ == "__main__":
    main()
