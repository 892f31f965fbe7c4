"""What all tests share: a small data set, and the real MNIST where its files are given."""

from __future__ import annotations

import fcntl
import gc
import os
import pwd
import signal
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import TypeVar

# Read once, when TensorFlow starts: the recipe's own number of threads, and no chatter.
os.environ["TF_NUM_INTRAOP_THREADS"] = "2"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import pytest

from components import analyze, evaluate, ingest, train, transform, validate
from components.artifacts.anomalies import Anomalies
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
from tests.components.whole_steps import evaluate_model, export_model

ROOT = Path(__file__).parent.parent

A = TypeVar("A", bound=Artifact)

# The default is tuned for small programs: with TensorFlow and Beam in memory, a full collection takes half a second.
gc.set_threshold(50_000, 20, 50)

# A shell's job in the background ignores Ctrl-C, and so would every command that is started here to be stopped.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Made:
    """The artifacts of the small data set, each made by its component when a test process first asks for it."""

    def __init__(self, shared: Callable[[str, Callable[[Path], object]], Path]) -> None:
        self._shared = shared

    def _once(self, kind: type[A], make: Callable[[Path], object]) -> A:
        def made(out: Path) -> None:
            out.mkdir()
            make(out)

        return kind.load(self._shared(f"made-{kind.__name__}", made))

    @property
    def data_dir(self) -> Path:
        return self._shared("tfds-tiny", tiny_set.prepare)

    @property
    def folders(self) -> list[Path]:
        """The prepared set and every artifact."""
        before = (self.examples, self.statistics, self.anomalies, self.transform, self.model, self.evaluation)
        return [self.data_dir, *(artifact.path for artifact in (*before, self.bundle))]

    @cached_property
    def examples(self) -> Examples:
        params, context = ingest.Params(dataset="tiny", block_rows=250), RunContext(data_dir=self.data_dir)
        return self._once(Examples, lambda out: ingest.run(params, context, BeamOptions(), out))

    @cached_property
    def statistics(self) -> Statistics:
        return self._once(Statistics, lambda out: analyze.run(self.examples, BeamOptions(), out))

    @cached_property
    def anomalies(self) -> Anomalies:
        given = (self.examples, self.statistics, validate.Params(), RunContext())
        return self._once(Anomalies, lambda out: validate.run(*given, out))

    @cached_property
    def transform(self) -> Transform:
        given = (self.statistics, self.anomalies, transform.Params())
        return self._once(Transform, lambda out: transform.run(*given, out))

    @cached_property
    def model(self) -> Model:
        params = train.Params(hidden=(16,), epochs=8)
        return self._once(Model, lambda out: train.run(self.examples, self.transform, params, out))

    @cached_property
    def evaluation(self) -> Evaluation:
        given = (self.model, self.examples, self.transform, evaluate.Params(min_accuracy=0.9))
        return self._once(Evaluation, lambda out: evaluate_model(*given, out))

    @cached_property
    def bundle(self) -> Bundle:
        given = (self.model, self.transform, self.statistics, self.examples, self.evaluation, "tiny")
        return self._once(Bundle, lambda out: export_model(*given, out))


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
def made(shared) -> Made:
    return Made(shared)


@pytest.fixture
def foreign_folder(tmp_path, monkeypatch) -> Path:
    """The working folder is a user's, and has packages and a module of Beamline's names. Importing one exits."""
    folder = tmp_path / "foreign"
    for name in ("serving/__init__.py", "components/__init__.py", "pipeline.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"raise SystemExit('the wrong {name}')\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def no_home(monkeypatch) -> None:
    """A user who has neither a home folder nor a name, as the user of a container often is."""

    def unknown(user):
        raise KeyError(f"uid not found: {user}")

    for name in ("HOME", "TFDS_DATA_DIR", "KERAS_HOME", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


@pytest.fixture(scope="session", autouse=True)
def _compiled_once(shared) -> None:
    """A network that one test compiled with XLA is not compiled again: that would be a third of a small training."""
    folder = shared("xla", Path.mkdir)
    os.environ["TF_XLA_FLAGS"] = (
        f"--tf_xla_persistent_cache_directory={folder} --tf_xla_persistent_cache_read_only=false"
    )


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
