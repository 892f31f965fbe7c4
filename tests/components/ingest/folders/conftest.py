"""Folders of pictures, with and without split folders."""

from __future__ import annotations

import pytest

from tests.components.ingest.folders.picture_folders import save


@pytest.fixture
def root(tmp_path):
    """Two splits of three classes; one class has no training picture."""
    root = tmp_path / "shapes"
    for row in range(7):
        for split, classes in (("train", "ab"), ("test", "abc")):
            for name in classes:
                save(root / split / f"class {name}" / f"{row}.png")
    (root / "train" / "class c").mkdir()
    return root


@pytest.fixture
def flat(tmp_path):
    """Thirty pictures in two class folders."""
    root = tmp_path / "flat"
    for row in range(30):
        save(root / "ab"[row % 2] / f"{row}.png")
    return root
