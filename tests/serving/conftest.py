"""The fixtures of serving: small sealed bundles, a registry, and the command `batch_score`."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from serving.batch_score import main
from serving.bundle.bundle import Bundle
from serving.registry.registry import Promoted, Registry
from tests.serving import tiny_bundle


@pytest.fixture
def seal(tmp_path: Path) -> Callable[..., Bundle]:
    """Makes bundles, each in its own folder, with the arguments of `tiny_bundle.seal`."""
    made = []

    def make(**arguments) -> Bundle:
        made.append(tiny_bundle.seal(tmp_path / "sealed" / str(len(made)), **arguments))
        return made[-1]

    return make


@pytest.fixture
def sealed(seal: Callable[..., Bundle]) -> Bundle:
    return seal()


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


@pytest.fixture
def promoted(registry: Registry, sealed: Bundle) -> Promoted:
    return tiny_bundle.publish(registry, sealed, "tiny", "run-1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with only images.npy, 50 images."""
    folder = tmp_path / "night"
    folder.mkdir()
    np.save(folder / "images.npy", tiny_bundle.random_images(50))
    return folder


@pytest.fixture
def score(
    promoted: Promoted, registry: Registry, folder: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Runs the command on images.npy. It returns the exit code, standard output and standard error."""

    def run(*flags, images=folder / "images.npy") -> tuple[int, str, str]:
        code = main([str(images), "--models", str(registry.root), *map(str, flags)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    before = signal.getsignal(signal.SIGTERM)
    yield run
    signal.signal(signal.SIGTERM, before)
