"""Data set -> Examples: every image decoded once, in one Beam job, into blocks that the rest reads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from components.artifacts.examples import SPLITS, Block, Examples, write_block
from components.beam import BeamOptions
from components.sources.arrays import Arrays
from components.sources.class_names import MOST_CLASSES
from components.sources.folder import Folder
from components.sources.source import Opened, Slice, Source, Wanted
from components.sources.tfds_set import TfdsSet
from serving.errors import InputError
from serving.files import write_json

# Of an image that is resized, in pixels.
MOST_SIDE = 4096


@dataclass(frozen=True)
class Params:
    """What to read.

    Attributes:
        dataset: as TensorFlow Datasets names it, e.g. `mnist`; or `folder:NAME`, or `arrays:NAME`.
        path: the folder or file of a set that TensorFlow Datasets does not have.
        train_split: in TFDS's slicing syntax, e.g. `train[:80%]`; where neither is given, a set of one split is cut
            into 80 and 20 %.
        test_split: the same, for the rows that the gate looks at.
        resize: height and width that every image gets.
        classes: how many there are, for arrays that do not say; else the greatest training label and one more.
        block_rows: images a block at most; fewer where they are large.
        data_dir: where TFDS keeps prepared sets; None is its own default.
        manual_dir: the set's original files, taken instead of the network.
        memory: where digests of files are remembered that were not touched since; None remembers none.
    """

    dataset: str = "mnist"
    path: Path | None = None
    train_split: str | None = None
    test_split: str | None = None
    resize: tuple[int, int] | None = None
    classes: int | None = None
    block_rows: int = 10_000
    data_dir: Path | None = None
    manual_dir: Path | None = None
    memory: Path | None = None

    def __post_init__(self) -> None:
        """Refuses what no image has. Raises: InputError."""
        for flag, numbers in {
            "block-rows": (self.block_rows,),
            "classes": (self.classes or 1,),
            "resize": self.resize or (1,),
        }.items():
            if min(numbers) < 1:
                raise InputError(f"--ingest.{flag} {' '.join(map(str, numbers))}: give 1 or more")
        if max(self.resize or (1,)) > MOST_SIDE:
            raise InputError(f"--ingest.resize {' '.join(map(str, self.resize or ()))}: give at most {MOST_SIDE:,}")
        if (self.classes or 1) > MOST_CLASSES:
            raise InputError(f"--ingest.classes {self.classes}: give at most {MOST_CLASSES:,}")

    @property
    def source(self) -> Source:
        """The data set."""
        if self.path is None:
            return TfdsSet(self.dataset, self.data_dir, self.manual_dir, self.memory)
        return (Folder if self.dataset.startswith("folder:") else Arrays)(self.path, self.memory)


def fingerprint(params: Params) -> Mapping[str, str] | None:
    """What the data are like outside of the store; None when they are not there yet."""
    return params.source.fingerprint()


def prepare(params: Params) -> None:
    """Brings the data where `fingerprint` and `run` find them."""
    params.source.prepare()


def run(params: Params, beam: BeamOptions, out: Path) -> Examples:
    """Decodes both splits into blocks.

    Raises:
        InputError: no such set or split, or images that cannot be read.
    """
    scratch = out.absolute() / "unpacked"
    scratch.mkdir()
    wanted = Wanted(params.train_split, params.test_split, params.block_rows, params.resize, params.classes)
    examples = write_examples(params.source.open(wanted, scratch), beam, out)
    shutil.rmtree(scratch)
    return examples


def write_examples(opened: Opened, beam: BeamOptions, out: Path) -> Examples:
    """Decodes every slice of a set, wherever Beam runs it, and gathers what was written."""
    import apache_beam

    slices = opened.slices
    beam.run(
        lambda pipeline: (
            pipeline
            | "slices" >> apache_beam.Create(slices, reshuffle=len(slices) > 1)
            | "decode" >> apache_beam.Map(decode_slice, out=out.absolute())
            | "gather" >> apache_beam.combiners.ToList()
            | "index" >> apache_beam.Map(_write_index, out=out.absolute())
        )
    )
    return Examples(
        path=out,
        dataset=opened.dataset,
        version=opened.version,
        class_names=opened.class_names,
        image_shape=opened.image_shape,
        blocks=_read_index(out),
    ).save()


def decode_slice(piece: Slice, out: Path) -> Block:
    """Decodes the rows of one block and writes it; done again, it writes the same bytes to the same place."""
    images, labels = piece.read()
    return write_block(out, piece.split, piece.index, images, labels, piece.files)


def _write_index(blocks: list[Block], out: Path) -> None:
    ordered = sorted(blocks, key=lambda block: (block.split, block.index))
    write_json(out / "blocks.json", {"blocks": [asdict(block) for block in ordered]})


def _read_index(out: Path) -> dict[str, tuple[Block, ...]]:
    index = out / "blocks.json"
    blocks = [Block(**block) for block in json.loads(index.read_text(encoding="utf-8"))["blocks"]]
    index.unlink()
    return {split: tuple(b for b in blocks if b.split == split) for split in SPLITS}
