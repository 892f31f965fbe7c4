"""Data of the user's own, from ingest to promotion, with one command."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from serving.resize import METHOD
from tests.own_sets import patterns, write_pictures

pytestmark = pytest.mark.exhaustive


def run(project, dataset, *more):
    return project.command("pipeline", "run", "--dataset", dataset, "--evaluate.min-accuracy", "0.9", *more)


def test_folder_of_5000_pictures_in_16_classes_is_promoted_and_scores_its_like(new_project):
    project = new_project()
    write_pictures(project.folder / "shapes", *patterns(5000, 16, (50, 50), 1, seed=1))
    done = run(project, "folder:shapes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4,000 train, 1,000 test images 50×50×1" in done.stdout
    (model,) = [path for path in (project.folder / "models").iterdir() if path.is_dir()]
    assert model.name.startswith("shapes-")
    manifest = json.loads((model / "1/manifest.json").read_text())
    assert manifest["labels"] == [f"class {label:02d}" for label in range(16)]

    new, labels = patterns(160, 16, (50, 50), 1, seed=2)
    write_pictures(project.folder / "new", new, labels)
    scored = project.command("serving.batch_score", "new", "--out", "new.csv")
    assert scored.returncode == 0, scored.stderr
    with (project.folder / "new.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    right = [row["class"] == row["file"].split("/")[-2] for row in rows]
    assert len(rows) == 160
    assert np.mean(right) > 0.9

    # A second command finds everything made; a changed picture does not go unnoticed, a touched one costs nothing.
    again = run(project, "folder:shapes")
    assert again.returncode == 0
    assert project.executed() == []
    changed = next((project.folder / "shapes" / "class 03").iterdir())
    write_pictures(project.folder / "other", *patterns(20, 16, (50, 50), 1, seed=3))
    changed.write_bytes(next((project.folder / "other" / "class 03").iterdir()).read_bytes())
    after = run(project, "folder:shapes")
    assert "ingest" in project.executed(), after.stdout


def write_mixed_sizes(folder, rows, seed):
    """Pictures of four classes in three sizes, in files of three kinds."""
    for kind, (suffix, size) in enumerate({".png": (20, 20), ".jpg": (40, 31), ".jpeg": (16, 50)}.items()):
        write_pictures(folder, *patterns(rows // 3, 4, size, 3, seed + kind), suffix)


def test_pictures_of_mixed_sizes_are_trained_on_and_scored(new_project):
    project = new_project()
    write_mixed_sizes(project.folder / "garden", 900, seed=1)
    done = run(project, "folder:garden", "--ingest.resize", "16", "16", "--model", "garden")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"720 train, 180 test images 16×16×3, resized ({METHOD})" in done.stdout

    write_mixed_sizes(project.folder / "new", 60, seed=9)
    refused = project.command("serving.batch_score", "new")
    assert refused.returncode == 2
    assert "the model takes 16×16 (width × height): add --resize" in refused.stderr
    scored = project.command("serving.batch_score", "new", "--resize", blocked=True)
    assert scored.returncode == 0, scored.stderr
    with (project.folder / "new.predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60
    assert np.mean([row["class"] == row["file"].split("/")[-2] for row in rows]) > 0.9


def test_colour_pictures_in_split_folders_are_promoted(new_project):
    project = new_project()
    for split, rows, seed in (("train", 800, 1), ("test", 200, 2)):
        write_pictures(project.folder / "garden" / split, *patterns(rows, 4, (32, 32), 3, seed), ".jpg")
    done = run(project, "folder:garden", "--model", "garden", "--promote.compare", "better")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "800 train, 200 test images 32×32×3" in done.stdout
    assert json.loads((project.folder / "models/garden/promoted.json").read_text())["version"] == 1


def test_colour_arrays_are_promoted(new_project):
    project = new_project()
    images, labels = patterns(1000, 5, (32, 32), 3, seed=1)
    np.savez(project.folder / "garden.npz", x=images, y=labels.astype(np.uint8))
    done = run(project, "arrays:garden.npz")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "800 train, 200 test images 32×32×3" in done.stdout


def test_two_folders_of_one_name_do_not_share_a_model(new_project):
    project = new_project()
    for place in ("here", "there"):
        write_pictures(project.folder / place / "shapes", *patterns(300, 3, (12, 12), 1, seed=len(place)))
        assert run(project, f"folder:{place}/shapes").returncode == 0
    models = sorted(path.name for path in (project.folder / "models").iterdir() if path.is_dir())
    assert len(models) == 2
    assert all(
        json.loads((project.folder / "models" / name / "promoted.json").read_text())["version"] == 1 for name in models
    )
