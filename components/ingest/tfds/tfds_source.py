"""TfdsSource: a set of TensorFlow Datasets: `--dataset NAME`."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.ingest.digest_cache import content_digest
from components.ingest.read_options import ReadOptions
from components.ingest.source import MissingReason, Source
from components.ingest.tfds.builders import EMBEDDED, find_builder, name_of, version_of
from components.ingest.tfds.registered_files import RegisteredFile, registered_files, require_files
from components.ingest.tfds.url_check import unreachable_reason
from serving.errors import BeamlineError, InputError

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

    from components.ingest.read_plan import ReadPlan

log = logging.getLogger("beamline.source")

# The origin of the embedded set.
INCLUDED = "files included in Beamline"


@dataclass(frozen=True)
class TfdsSource(Source):
    """A set that TensorFlow Datasets prepares.

    Attributes:
        dataset: as TFDS names it, `mnist`, `emnist/letters`, `mnist:3.0.1`, or a builder by its module, `my.flowers`.
        data_dir: the folder of prepared sets; None is TFDS's default.
        manual_dir: a folder with the set's original files, which replace a download.
        digest_cache: the folder that keeps digests of unchanged files; None keeps none.
    """

    dataset: str
    data_dir: Path | None = None
    manual_dir: Path | None = None
    digest_cache: Path | None = None

    @property
    def name(self) -> str:
        """The builder's name, without configuration and version."""
        return name_of(self.dataset)

    @property
    def folder(self) -> Path:
        """The folder of prepared sets. Raises: InputError: it is in a home folder that is not known."""
        folder = self.data_dir or Path(os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets"))
        try:
            return folder.expanduser()
        except RuntimeError as error:
            raise InputError(
                f"the folder of prepared data sets is {folder}, and no such home folder is known: give another one "
                "with --data-dir FOLDER, or set HOME"
            ) from error

    @property
    def model(self) -> str:
        """The names of the builder and of the configuration."""
        return "-".join([self.name, *self._config])

    @property
    def availability(self) -> str:
        """The end of a sentence after the set's name: where it is prepared, or where `prepare` takes the data from."""
        if self.is_prepared:
            return f"is prepared in {self.folder}"
        if self.manual_dir is not None:
            return f"has all its files in {self.manual_dir}"
        return f"will be prepared from {INCLUDED}" if self.name == EMBEDDED else "can be fetched"

    @property
    def prepare_folder(self) -> Path | None:
        """The folder of prepared sets; None if the set is prepared."""
        return None if self.is_prepared else self.folder

    @property
    def is_prepared(self) -> bool:
        """Whether a version of the set is in the folder of prepared sets."""
        return bool(self._prepared())

    @property
    def _config(self) -> list[str]:
        return self.dataset.split(":")[0].split("/")[1:]

    def _prepared(self) -> list[Path]:
        """The folders of all prepared versions that match the name."""
        folder = Path(self.folder, self.name, *self._config)
        version = self.dataset.partition(":")[2] or version_of(self.dataset)
        infos = folder.glob(f"**/{version}/dataset_info.json" if version else "**/dataset_info.json")
        # TFDS prepares a set in a folder of this name, which remains after an interruption.
        return sorted(info.parent for info in infos if "incomplete." not in info.relative_to(self.folder).as_posix())

    def fingerprint(self) -> Mapping[str, str] | None:
        """Digests of all prepared versions, and the set's registered checksums. It does not import TFDS."""
        self._check_manual_folder()
        prepared = self._prepared()
        if not prepared:
            return None
        state = {f"registered {file.name}": file.sha256 for file in registered_files(self.name)}
        for folder in prepared:
            files = [file.name for file in folder.iterdir() if file.is_file()]
            state[folder.relative_to(self.folder).as_posix()] = content_digest(folder, files, self.digest_cache)
        return state

    def _check_manual_folder(self) -> None:
        """Checks digests only until the set is prepared, because the original files are not read later."""
        if self.manual_dir is not None:
            check_digests = not self.is_prepared
            require_files(self.manual_dir, registered_files(self.name), self.dataset, check_digests)

    def builder(self) -> tfds.core.DatasetBuilder:
        """TFDS's builder. Raises: InputError: no set of that name."""
        return find_builder(self.dataset, self.folder)

    def prepare(self) -> None:
        """Prepares the set from the manual folder or the network, unless it is prepared."""
        self._check_manual_folder()
        builder = self.builder()
        if builder.is_prepared():
            return
        if self.manual_dir is None and (missing := self._unreachable()) is not None:
            raise BeamlineError(f"{missing.cause}: {missing.remedy}")
        import tensorflow_datasets as tfds

        origin = INCLUDED if self.name == EMBEDDED else self.manual_dir or "the network"
        log.info("preparing %s from %s into %s (only needed once)", self.dataset, origin, self.folder)
        tfds.disable_progress_bar()
        # TFDS prints to standard output, which is reserved for the command's results.
        with contextlib.redirect_stdout(sys.stderr), self._space_needed(builder):
            builder.download_and_prepare(
                download_config=tfds.download.DownloadConfig(manual_dir=self.manual_dir and os.fspath(self.manual_dir))
            )

    @contextlib.contextmanager
    def _space_needed(self, builder: tfds.core.DatasetBuilder) -> Iterator[None]:
        """Names the space that TFDS needs. Raises: BeamlineError: there is less."""
        try:
            yield
        except OSError as error:
            if not str(error).startswith("Not enough disk space"):
                raise
            from serving.faults.fault import Fault
            from serving.faults.wording import fault_sentence

            needed_bytes = int(builder.info.dataset_size) + int(builder.info.download_size)
            fault = Fault(errno.ENOSPC, self.folder / self.name, needed_bytes)
            raise BeamlineError(fault_sentence(fault, {"--data-dir": self.folder})) from error

    def missing_reason(self) -> MissingReason | None:
        """Why the set cannot be obtained; the network is checked last, and for a few seconds only."""
        self._check_manual_folder()
        if self.is_prepared or self.manual_dir is not None:
            return None
        return self._unreachable()

    def _unreachable(self) -> MissingReason | None:
        files = registered_files(self.name)
        reason = unreachable_reason(files[0].url) if files else None
        if reason is None:
            return None
        listed = "".join(f"\n  {file.sha256}  {_url_and_name(file)}" for file in files)
        return MissingReason(
            f"{self.dataset} is not prepared in {self.folder}, no --manual-dir was given, and "
            f"{files[0].url.split('/')[2]} {reason}",
            "download these files on another machine into a folder, and give the folder with --manual-dir FOLDER "
            f"(or `make pipeline MANUAL_DIR=FOLDER`); SHA-256 and URL of each file:{listed}",
        )

    def plan(self, options: ReadOptions, scratch: Path) -> ReadPlan:
        """Reads the set's metadata. Rows are in the order of the records, shard after shard."""
        from components.ingest.tfds.tfds_plan import plan_builder

        return plan_builder(self.builder(), options, scratch)


def _url_and_name(file: RegisteredFile) -> str:
    """The URL of a file, and the name that the file must have, unless the URL ends with it."""
    return file.url if file.url.endswith(f"/{file.name}") else f"{file.url} (save it as {file.name})"
