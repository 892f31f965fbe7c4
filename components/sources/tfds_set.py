"""A set of TensorFlow Datasets: where it is, whether it changed, how it gets there, and what its records hold."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from components.sources.builders import EMBEDDED, find_builder, name_of, version_of
from components.sources.content import content_digest
from components.sources.reach import refusal
from components.sources.records import Encoding, Offsets, RecordSlice, Run, cut_runs, find_offsets
from components.sources.registered import registered_files, require_files
from components.sources.slicing import Part, choose_rows, cut
from components.sources.source import Lack, Opened, Source, Wanted
from serving.errors import BeamlineError, InputError

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

log = logging.getLogger("beamline.source")


@dataclass(frozen=True)
class TfdsSet(Source):
    """Attributes:
    dataset: as TFDS names it, `mnist`, `emnist/letters`, `mnist:3.0.1`, or a builder by its module, `my.flowers`.
    data_dir: where prepared sets stand; None is TFDS's own default.
    manual_dir: a folder with the set's original files, which are taken instead of the network.
    memory: where digests of files are remembered; None remembers none.
    """

    dataset: str
    data_dir: Path | None = None
    manual_dir: Path | None = None
    memory: Path | None = None

    @property
    def name(self) -> str:
        """The builder's name, without configuration and version."""
        return name_of(self.dataset)

    @property
    def folder(self) -> Path:
        """Where prepared sets stand."""
        default = os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
        return (self.data_dir or Path(default)).expanduser()

    @property
    def model(self) -> str:
        """The name, with the configuration's."""
        return "-".join([self.name, *self._config])

    @property
    def origin(self) -> str:
        """Prepared, in the manual folder, in its own package, or on the network."""
        if self.found:
            return f"is prepared in {self.folder}"
        if self.manual_dir is not None:
            return f"has all its files in {self.manual_dir}"
        return "will be prepared from its own package" if self.name == EMBEDDED else "can be fetched"

    @property
    def written(self) -> Path | None:
        """Where prepared sets stand; a prepared one is only read."""
        return None if self.found else self.folder

    @property
    def found(self) -> bool:
        """Whether something of that name stands where prepared sets stand."""
        return bool(self._prepared())

    @property
    def _config(self) -> list[str]:
        return self.dataset.split(":")[0].split("/")[1:]

    def _prepared(self) -> list[Path]:
        """The folders of all versions that may be meant."""
        folder = Path(self.folder, self.name, *self._config)
        version = self.dataset.partition(":")[2] or version_of(self.dataset)
        infos = folder.glob(f"**/{version}/dataset_info.json" if version else "**/dataset_info.json")
        # TFDS prepares a set in a folder beside its place, which is left where it was stopped.
        return sorted(info.parent for info in infos if "incomplete." not in info.relative_to(self.folder).as_posix())

    def fingerprint(self) -> Mapping[str, str] | None:
        """Digests of everything prepared under that name, and the set's registered checksums; TFDS is not imported.

        Raises:
            InputError: the manual folder is not what it should be.
        """
        self._check_manual_folder()
        prepared = self._prepared()
        if not prepared:
            return None
        state = {f"registered {file.name}": file.sha256 for file in registered_files(self.name)}
        for folder in prepared:
            files = [file.name for file in folder.iterdir() if file.is_file()]
            state[folder.relative_to(self.folder).as_posix()] = content_digest(folder, files, self.memory)
        return state

    def _check_manual_folder(self) -> None:
        """Of a set that is prepared, the original files are not read any more."""
        if self.manual_dir is not None:
            require_files(self.manual_dir, registered_files(self.name), self.dataset, hashed=not self.found)

    def builder(self) -> tfds.core.DatasetBuilder:
        """TFDS's builder. Raises: InputError: no set of that name."""
        return find_builder(self.dataset, self.folder)

    def prepare(self) -> None:
        """Makes sure that the set is prepared: found so, or made from the manual folder or the network.

        Raises:
            InputError: no such set, or a wrong manual folder.
            BeamlineError: the set is not prepared, no manual folder was given, and its host cannot be reached.
        """
        self._check_manual_folder()
        builder = self.builder()
        if builder.is_prepared():
            return
        if self.manual_dir is None and (lack := self._unreachable()) is not None:
            raise BeamlineError(f"{lack.tried}: {lack.remedy}")
        import tensorflow_datasets as tfds

        origin = "its own package" if self.name == EMBEDDED else self.manual_dir or "the network"
        log.info("preparing %s in %s, once, from %s", self.dataset, self.folder, origin)
        tfds.disable_progress_bar()
        # TFDS prints to standard output, which is for the results of whoever called.
        with contextlib.redirect_stdout(sys.stderr):
            builder.download_and_prepare(
                download_config=tfds.download.DownloadConfig(manual_dir=self.manual_dir and os.fspath(self.manual_dir))
            )

    def lack(self) -> Lack | None:
        """Why the set cannot be had, and how it could be; None where it is prepared, at hand or can be fetched.

        The network is asked last, and given up on within seconds.

        Raises:
            InputError: the manual folder is not what it should be.
        """
        self._check_manual_folder()
        if self.found or self.manual_dir is not None:
            return None
        return self._unreachable()

    def _unreachable(self) -> Lack | None:
        files = registered_files(self.name)
        refused = refusal(files[0].url) if files else None
        if refused is None:
            return None
        listed = "".join(f"\n  {file.sha256}  {file.name}" for file in files)
        return Lack(
            f"{self.dataset} is not prepared in {self.folder}, no --manual-dir was given, and "
            f"{files[0].url.split('/')[2]} {refused}",
            "put these files in a folder and give it with --manual-dir FOLDER, or make pipeline MANUAL_DIR=FOLDER "
            f"(SHA-256, name):{listed}",
        )

    def open(self, wanted: Wanted, scratch: Path) -> Opened:
        """Reads the set's description. Rows are in the order of the records, shard after shard.

        Raises:
            InputError: no such split, no rows, rows in both splits, or a set of anything but images with one label.
        """
        builder = self.builder()
        encoding = describe(builder, wanted.resize)
        counts = {name: split.num_examples for name, split in builder.info.splits.items()}
        records = _Records(builder)
        slices = [
            RecordSlice(split, index, records.runs(piece, encoding.rows_at_once), encoding)
            for split, parts in choose_rows(wanted, counts, builder.name).items()
            for index, piece in enumerate(cut(parts, wanted.rows_of_block(encoding.image_shape)))
        ]
        config = builder.builder_config
        return Opened(
            dataset=builder.name if config is None else f"{builder.name}/{config.name}",
            version=str(builder.version),
            class_names=tuple(builder.info.features[encoding.label_key].names),
            image_shape=encoding.image_shape,
            slices=tuple(slices),
        )


class _Records:
    """Where the records of a set are; each file is looked through once."""

    def __init__(self, builder: tfds.core.DatasetBuilder) -> None:
        self._builder = builder
        self._offsets: dict[str, Offsets] = {}

    def runs(self, piece: tuple[Part, ...], most: int) -> tuple[Run, ...]:
        """The runs of some rows, in order, of so many records at most."""
        runs: list[Run] = []
        for source, start, stop in piece:
            first = 0
            for file in self._builder.info.splits[source].file_instructions:
                begin, end = max(start - first, 0), min(stop - first, file.take)
                if begin < end:
                    name = os.path.abspath(file.filename)
                    runs += cut_runs(name, self._of(name, file.take)[begin:end], most)
                first += file.take
        return tuple(runs)

    def _of(self, file: str, records: int) -> Offsets:
        if file not in self._offsets:
            self._offsets[file] = find_offsets(file, records)
        return self._offsets[file]


def describe(builder: tfds.core.DatasetBuilder, resize: tuple[int, int] | None) -> Encoding:
    """How a set's images stand in its records.

    Raises:
        InputError: it is no set of uint8 images with one label each, or its images have no common size.
    """
    import tensorflow_datasets as tfds

    info = builder.info
    # A set that does not say which features belong together still leaves no choice where it has one of each.
    kinds: dict[Any, list[str]] = {tfds.features.Image: [], tfds.features.ClassLabel: []}
    for name, feature in info.features.items():
        for kind, names in kinds.items():
            names += [name] * isinstance(feature, kind)
    keys = info.supervised_keys or tuple(names[0] for names in kinds.values() if len(names) == 1)
    image, label = [info.features[key] for key in keys] if len(keys) == 2 else (None, None)
    if not isinstance(image, tfds.features.Image) or not isinstance(label, tfds.features.ClassLabel):
        raise InputError(f"--dataset {builder.name} is no set of images with one label each: give one that is")
    if image.np_dtype != np.uint8:
        raise InputError(
            f"--dataset {builder.name} has images of type {image.np_dtype.__name__}: give a set of uint8 images"
        )
    height, width, channels = image.shape
    if None in (height, width) and resize is None:
        raise InputError(
            f"--dataset {builder.name} has images of different sizes: give them one with --ingest.resize HEIGHT WIDTH"
        )
    if info.file_format is not tfds.core.FileFormat.TFRECORD:
        raise InputError(f"--dataset {builder.name} is stored as {info.file_format}: prepare it as TFRecord files")
    return Encoding(keys[0], keys[1], (height, width, channels or 3), resize)
