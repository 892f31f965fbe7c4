"""A data set of TensorFlow Datasets: where it is, whether it changed, and how it gets there."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import logging
import os
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from serving.errors import BeamlineError, InputError
from serving.files import sha256_file

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

log = logging.getLogger("beamline.source")

# TFDS itself retries a host that cannot be resolved for over three minutes.
NETWORK_SECONDS = 8
# Its data lie in this package; every other set is one of TFDS's own, or prepared already.
EMBEDDED = "digits"


@dataclass(frozen=True)
class RegisteredFile:
    """A file that a data set is made from, as TFDS has it registered."""

    name: str
    sha256: str
    url: str


@dataclass(frozen=True)
class Lack:
    """A data set that cannot be had.

    Attributes:
        tried: where it was looked for, and what came of it.
        remedy: what to do.
    """

    tried: str
    remedy: str


@dataclass(frozen=True)
class Source:
    """A data set by name.

    Attributes:
        dataset: as TFDS names it: `mnist`, `emnist/letters`, `mnist:3.0.1`.
        data_dir: where prepared sets stand; None is TFDS's own default.
        manual_dir: a folder with the set's original files, which are taken instead of the network.
    """

    dataset: str
    data_dir: Path | None
    manual_dir: Path | None

    @property
    def name(self) -> str:
        """The builder's name, without configuration and version."""
        return self.dataset.split(":")[0].split("/")[0]

    @property
    def folder(self) -> Path:
        """Where prepared sets stand."""
        default = os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
        return (self.data_dir or Path(default)).expanduser()

    def fingerprint(self) -> dict[str, str] | None:
        """What identifies the prepared data without reading them, in milliseconds and without importing TFDS.

        Returns:
            Digests of the set's description files, names and sizes of its shards, and its registered
            checksums; None when nothing is prepared.

        Raises:
            InputError: the manual folder is not what it should be.
        """
        self.check_manual_folder()
        infos = self._infos()
        if not infos:
            return None
        state = {f"registered {file.name}": file.sha256 for file in self.registered_files()}
        for info in infos:
            files = [f"{file.name} {_state(file)}" for file in sorted(info.parent.iterdir())]
            described = hashlib.sha256("\n".join(files).encode()).hexdigest()
            state[info.parent.relative_to(self.folder).as_posix()] = described
        return state

    @property
    def found(self) -> bool:
        """Whether something of that name stands where prepared sets stand."""
        return bool(self._infos())

    def _infos(self) -> list[Path]:
        return sorted((self.folder / self.dataset.split(":")[0]).glob("**/dataset_info.json"))

    def registered_files(self) -> tuple[RegisteredFile, ...]:
        """The original files with their checksums; empty for a set that has none registered."""
        try:
            package = Path(str(distribution("tensorflow-datasets").locate_file("tensorflow_datasets")))
        except PackageNotFoundError:
            raise BeamlineError("tensorflow-datasets is not installed: pip install 'beamline[pipeline]'") from None
        name = self.name
        for file in (package / "url_checksums" / f"{name}.txt", package / "datasets" / name / "checksums.tsv"):
            if file.is_file():
                rows = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines() if line]
                return tuple(RegisteredFile(name=row[3], sha256=row[2], url=row[0]) for row in rows if len(row) > 3)
        return ()

    def check_manual_folder(self) -> None:
        """Refuses a manual folder that lacks one of the set's files, or holds another file in its place.

        Raises:
            InputError: names the folder, the files and what they should be.
        """
        folder = self.manual_dir
        if folder is None:
            return
        if not folder.is_dir():
            raise InputError(f"--manual-dir {folder} is no folder: give the one with the files of {self.dataset}")
        files = self.registered_files()
        if missing := [file.name for file in files if not (folder / file.name).is_file()]:
            raise InputError(
                f"--manual-dir {folder} has no {', '.join(missing)}: put {'it' if len(missing) == 1 else 'them'} there"
            )
        for file in files:
            if (got := sha256_file(folder / file.name)) != file.sha256:
                raise InputError(
                    f"{folder / file.name} has SHA-256 {got}, {self.dataset} needs {file.sha256}: fetch the file again"
                )

    def builder(self) -> tfds.core.DatasetBuilder:
        """TFDS's builder. Raises: InputError: no set of that name."""
        import tensorflow_datasets as tfds

        if self.name == EMBEDDED:
            # Importing it is what makes it known to TFDS.
            import components.datasets.digits.digits_dataset_builder  # noqa: F401
        try:
            builder = tfds.builder(self.dataset, data_dir=self.folder)
            if builder.name != self.name:
                # TFDS takes other spellings; the folder of prepared sets and the registry know one.
                raise ValueError(f"{self.dataset} is spelt {builder.name}")
            return builder
        except (tfds.core.DatasetNotFoundError, ValueError, AssertionError) as error:
            near = difflib.get_close_matches(self.dataset.lower(), tfds.list_builders(), n=1)
            hint = f"did you mean {near[0]}?" if near else "give the name of a TensorFlow Datasets set"
            raise InputError(f"--dataset {self.dataset}: there is no such data set: {hint}") from error

    def prepare(self) -> None:
        """Makes sure that the set is prepared: found so, or made from the manual folder or the network.

        Raises:
            InputError: no such set, or a wrong manual folder.
            BeamlineError: the set is not prepared, no manual folder was given, and its host cannot be reached.
        """
        self.check_manual_folder()
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

        The network is asked last, and given up on after `NETWORK_SECONDS`.

        Raises:
            InputError: the manual folder is not what it should be.
        """
        self.check_manual_folder()
        if self.found or self.manual_dir is not None:
            return None
        return self._unreachable()

    def _unreachable(self) -> Lack | None:
        files = self.registered_files()
        refusal = _refusal(files[0].url) if files else None
        if refusal is None:
            return None
        listed = "".join(f"\n  {file.sha256}  {file.name}" for file in files)
        return Lack(
            f"{self.dataset} is not prepared in {self.folder}, no --manual-dir was given, and "
            f"{files[0].url.split('/')[2]} {refusal}",
            "put these files in a folder and give it with --manual-dir FOLDER, or make pipeline MANUAL_DIR=FOLDER "
            f"(SHA-256, name):{listed}",
        )


def _state(file: Path) -> str:
    """The size of a shard, the content of everything else: descriptions and class names, which are small."""
    if ".tfrecord" in file.name or file.is_dir():
        return str(file.stat().st_size)
    return sha256_file(file)


def _refusal(url: str) -> str | None:
    """What is wrong with an address, in a few words; None where it answers in time.

    Name resolution ignores time limits, so it is left behind in a thread.
    """
    import http.client
    import queue
    import threading
    import urllib.error
    import urllib.request

    answers: queue.Queue[str | None] = queue.Queue()

    def ask() -> None:
        try:
            # What is asked for is the file itself, because not every host answers HEAD; its content is left unread.
            request = urllib.request.Request(url, headers={"User-Agent": "beamline"})
            with urllib.request.urlopen(request, timeout=NETWORK_SECONDS):
                answers.put(None)
        except urllib.error.HTTPError as error:
            answers.put(f"answered {error.code} {error.reason}")
        except (OSError, ValueError, http.client.HTTPException) as error:
            answers.put(f"cannot be reached ({getattr(error, 'reason', error)})")

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answers.get(timeout=NETWORK_SECONDS)
    except queue.Empty:
        return f"did not answer within {NETWORK_SECONDS} s"
