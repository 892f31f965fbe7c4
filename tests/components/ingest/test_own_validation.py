"""ingest: the number of a set's own validation rows is recorded, without the bad ones."""

from __future__ import annotations

import pytest

from components import ingest
from components.beam import BeamOptions
from components.run_context import RunContext
from tests.table_files import pictures, png, save_png

IMAGES, LABELS = pictures(40)
SPLITS = {"train": range(24), "valid": range(24, 32), "test": range(32, 40)}


@pytest.mark.parametrize("block_rows", [1000, 3])
def test_last_rows_of_the_training_split_are_the_validation_rows(tmp_path, block_rows):
    for split, part in SPLITS.items():
        for row in part:
            save_png(tmp_path / "set" / split / f"class {LABELS[row]}" / f"{row}.png", IMAGES[row])
    bad = tmp_path / "set" / "valid" / "class 0" / "24.png"
    bad.write_bytes(png(IMAGES[24])[:40])
    out = tmp_path / "out"
    out.mkdir()
    params = ingest.Params(dataset="folder:set", skip_bad=1, block_rows=block_rows)
    examples = ingest.run(params, RunContext(source=tmp_path / "set"), BeamOptions(), out)
    assert examples.validation_rows == 7
    assert examples.load(out).validation_rows == 7
    assert "31 train (7 of them for validation), 8 test" in examples.summary()
    last = {image.tobytes() for image in examples.all_images("train")[-7:]}
    assert last == {IMAGES[row].tobytes() for row in range(25, 32)}
