"""What all tests share: a small data set, and the real MNIST where its files are given."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

# Read once, when TensorFlow starts: the recipe's own number of threads, and no chatter.
os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import pytest

from components import analyze, evaluate, export, ingest, train, transform, validate
from components.artifacts.artifact import Artifact
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.preprocessing import Transform
from components.artifacts.statistics import Statistics
from components.beam import BeamOptions
from components.run_context import RunContext
from serving.interrupts import raise_on_signals
from tests import tiny_set

ROOT = Path(__file__).parent.parent

# A shell's job in the background ignores Ctrl-C, and so would every command that is started here to be stopped.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Made:
    """The artifacts of the small data set, each made by its component when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[str, Artifact] = {}

    def _once(self, name: str, make) -> Artifact:
        if name not in self._made:
            out = self.folder / name
            out.mkdir()
            self._made[name] = make(out)
        return self._made[name]

    @property
    def data_dir(self) -> Path:
        folder = self.folder / "tfds"
        if not folder.exists():
            tiny_set.prepare(folder)
        return folder

    @property
    def examples(self) -> Examples:
        params, context = ingest.Params(dataset="tiny", block_rows=250), RunContext(data_dir=self.data_dir)
        return self._once("examples", lambda out: ingest.run(params, context, BeamOptions(), out))

    @property
    def statistics(self) -> Statistics:
        return self._once("statistics", lambda out: analyze.run(self.examples, BeamOptions(), out))

    @property
    def anomalies(self) -> Artifact:
        given = (self.examples, self.statistics, validate.Params(), RunContext())
        return self._once("anomalies", lambda out: validate.run(*given, out))

    @property
    def transform(self) -> Transform:
        return self._once(
            "transform", lambda out: transform.run(self.statistics, self.anomalies, transform.Params(), out)
        )

    @property
    def model(self) -> Model:
        params = train.Params(hidden=(16,), epochs=8)
        return self._once("model", lambda out: train.run(self.examples, self.transform, params, out))

    @property
    def evaluation(self) -> Evaluation:
        params = evaluate.Params(min_accuracy=0.9)
        return self._once(
            "evaluation", lambda out: evaluate.run(self.model, self.examples, self.transform, params, out)
        )

    @property
    def bundle(self) -> Bundle:
        return self._once(
            "bundle",
            lambda out: export.run(
                self.model,
                self.transform,
                self.statistics,
                self.examples,
                self.evaluation,
                export.Params("tiny"),
                out,
            ),
        )


def pytest_collection_modifyitems(items) -> None:
    """Files that take minutes begin first: those that take seconds then fill what is left of both processors."""
    slow = {item.path for item in items if "e2e" in item.path.parts or item.get_closest_marker("exhaustive")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session", autouse=True)
def _no_sets_of_the_users(tmp_path_factory) -> None:
    """Prepared data sets in the home folder must not influence the tests."""
    os.environ["TFDS_DATA_DIR"] = str(tmp_path_factory.mktemp("prepared"))


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Returns a folder that one test process makes and all of them read: `shared(name, make)` calls `make(folder)`."""
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    root.mkdir(exist_ok=True)

    def once(name: str, make: Callable[[Path], object]) -> Path:
        folder, complete = root / name, root / f"{name}.complete"
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not complete.exists():
                make(folder)
                complete.touch()
        return folder

    return once


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Made:
    return Made(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
def mnist_dir() -> Path:
    """The folder of the four MNIST files; CI must have it."""
    given = os.environ.get("BEAMLINE_MNIST_DIR")
    if not given:
        if os.environ.get("CI"):
            pytest.fail("BEAMLINE_MNIST_DIR is not set, and CI must not skip what needs MNIST")
        pytest.skip("BEAMLINE_MNIST_DIR is not set: no MNIST files")
    return Path(given).resolve()


@pytest.fixture
def handled_signals():
    """SIGINT and SIGTERM are handled as the commands do it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    raise_on_signals()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def _is_reporting(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name == "unraisable_hook":
            return True
        frame = frame.f_back
    return False


def interrupted_at(nth: int, work: Callable[[], object]) -> bool:
    """Does some work, with a SIGINT just before its nth call of a function. Returns: whether it came so far."""
    calls = 0

    def count(frame, event, argument) -> None:
        nonlocal calls
        if event in ("call", "c_call"):
            calls += 1
            if calls == nth and _is_reporting(frame):
                # pytest's own hook is running: the garbage collector found a file that an earlier stop left open.
                calls -= 1
            elif calls == nth:
                sys.setprofile(None)
                signal.raise_signal(signal.SIGINT)

    raise_on_signals()
    sys.setprofile(count)
    try:
        work()
        # Turning the counting off is a call too.
        calls = nth
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(None)
    return False
