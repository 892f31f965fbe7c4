"""setup.py, the lock and the Makefile agree."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.health.installation import BASE, REQUIRED, TOO_NEW
from tests.conftest import ROOT

# A make that is run by make says where it enters and leaves.
OUTSIDE = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
SERVING = {"numpy", "onnxruntime", "tqdm"}


@pytest.fixture(scope="module")
def output() -> dict:
    """What setup.py gives setuptools."""
    given: dict = {}
    code = (ROOT / "setup.py").read_text().replace("from setuptools import find_packages, setup", "")
    exec(code, {"setup": lambda **arguments: given.update(arguments), "find_packages": lambda include: include})
    return given


def locked(file: str) -> dict[str, str]:
    pinned = re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / file).read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pinned}


def test_base_install_is_serving_alone(output):
    assert {Requirement(line).name for line in output["install_requires"]} == SERVING
    assert output["name"] == "beamline"
    assert set(output["extras_require"]) == {"pipeline", "images", "parquet", "mlflow", "dev"}


@pytest.mark.parametrize(("file", "extra"), [("requirements.lock", "dev"), ("requirements-mlflow.lock", "mlflow")])
def test_lock_satisfies_every_requirement_and_has_every_hash(output, file, extra):
    found = locked(file)
    for requirement in map(Requirement, [*output["install_requires"], *output["extras_require"][extra]]):
        assert requirement.specifier.contains(found[canonicalize_name(requirement.name)]), requirement
    pinned = re.findall(r"^[\w.-]+==.*?(?=^\S|\Z)", (ROOT / file).read_text(), re.MULTILINE | re.DOTALL)
    assert len(pinned) >= len(found)
    assert all("--hash=sha256:" in block for block in pinned)


def test_both_locks_agree(output):
    one, other = locked("requirements.lock"), locked("requirements-mlflow.lock")
    assert {name: (one[name], other[name]) for name in one.keys() & other.keys() if one[name] != other[name]} == {}


def test_libraries_that_the_code_imports_are_asked_for(output):
    lines = [*output["extras_require"]["dev"], "mlflow"]
    asked = {canonicalize_name(Requirement(line).name) for line in lines} | SERVING
    imported = set()
    for package in ("pipeline", "components", "serving"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
                imported |= {canonicalize_name(name.partition(".")[0]) for name in names}
    ours = {"pipeline", "components", "serving", "google"} | {canonicalize_name(n) for n in sys.stdlib_module_names}
    # Keras is TensorFlow's own dependency, array-record that of TensorFlow Datasets, MarkupSafe Jinja's, Alembic and
    # SQLAlchemy Optuna's; PIL is Pillow's name.
    assert imported - ours - {"alembic", "array-record", "keras", "markupsafe", "pil", "sqlalchemy"} <= asked


def test_doctor_asks_for_what_setup_asks_for(output):
    limits = {">=": {}, "<": {}}
    for requirement in map(Requirement, [*output["install_requires"], *output["extras_require"]["pipeline"]]):
        for limit in requirement.specifier:
            limits[limit.operator][requirement.name] = limit.version
    assert limits == {">=": REQUIRED, "<": TOO_NEW}
    assert set(BASE) == SERVING


def make(folder, *arguments: str) -> str:
    done = subprocess.run(
        ["make", "-n", *arguments], cwd=folder, capture_output=True, text=True, check=True, env=OUTSIDE
    )
    return done.stdout


def test_make_sets_up_when_missing_or_stale_and_not_otherwise(tmp_path):
    for name in ("Makefile", "setup.py", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    install = "pip install"
    assert install in make(tmp_path, "pipeline")
    (tmp_path / ".venv").mkdir()
    ready = tmp_path / ".venv" / ".ready"
    ready.touch()
    assert install not in make(tmp_path, "pipeline")
    assert install not in make(tmp_path, "test")
    for name in ("setup.py", "requirements.lock"):
        newer = ready.stat().st_mtime + 10
        os.utime(tmp_path / name, (newer, newer))
        assert install in make(tmp_path, "test")
        os.utime(tmp_path / name, (newer - 100, newer - 100))


@pytest.fixture
def given(tmp_path):
    """Runs make with a python that only tells its arguments. Returns: these, for a target and variables."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("setup.py", "requirements.lock"):
        shutil.copy2(ROOT / name, tmp_path)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    (tmp_path / ".venv" / ".ready").touch()

    def tell(*arguments: str) -> list[str]:
        done = subprocess.run(
            ["make", *arguments], cwd=tmp_path, capture_output=True, text=True, check=True, env=OUTSIDE
        )
        return done.stdout.splitlines()

    return tell


def test_variables_become_flags(given):
    places = ("MANUAL_DIR=my folder/mnist", "RUNS=the runs", "MODELS=the models")
    output = given("pipeline", "DATASET=kmnist", "PRESET=cnn", *places, "ARGS=--seed 3 --explain")
    assert output[:3] == ["-m", "pipeline", "run"]
    flags = dict(zip(output[3:-1:2], output[4::2], strict=False))
    assert flags == {
        "--dataset": "kmnist",
        "--preset": "cnn",
        "--manual-dir": "my folder/mnist",
        "--runs": "the runs",
        "--models": "the models",
        "--seed": "3",
    }
    assert output[-1] == "--explain"


def test_no_flag_is_passed_for_an_empty_variable(given):
    assert given("pipeline") == ["-m", "pipeline", "run", "--runs", "runs", "--models", "models"]


def test_images_may_have_spaces_in_their_name(given):
    assert given("score", "IMAGES=a b.npy")[:3] == ["-m", "serving.batch_score", "a b.npy"]


def test_benchmark_is_of_the_promoted_model(given):
    names = ("runs", "int8", "scoring", "data", "pictures", "tables", "nightly", "growth")
    runs, int8, scoring, data, pictures, tables, nightly, growth = (["-m", f"benchmarks.{name}"] for name in names)
    scored = [*runs, *int8, "models/mnist", "images.npy", *scoring, "models/mnist", "images.npy"]
    assert given("bench") == [*scored, *data, *pictures, *tables, *nightly, *growth, "images.npy", "images.labels.npy"]
    variables = ("DATASET=digits", "MODELS=the models", "IMAGES=a b.npy", "ARGS=--only few", "MANUAL_DIR=m n")
    output = given("bench", *variables)
    assert output[:4] == [*runs, "--manual-dir", "m n"]
    assert output[6:8] == ["the models/digits", "a b.npy"]
    assert output[10:14] == ["the models/digits", "a b.npy", "--only", "few"]
    assert output[14:] == [
        *data,
        "--manual-dir",
        "m n",
        *pictures,
        *tables,
        *nightly,
        *growth,
        "a b.npy",
        "a b.labels.npy",
    ]


def test_clean_takes_its_flags(given):
    assert given("clean", "ARGS=--keep 3")[-2:] == ["--keep", "3"]


@pytest.mark.parametrize("version", ["(3, 10, 9)", "(3, 14, 0)"])
def test_another_python_is_refused_by_name(tmp_path, version):
    for name in ("Makefile", "setup.py", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    other = tmp_path / "python"
    other.write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.version_info = {version}; exec(sys.argv[1])" "$2"\n'
    )
    other.chmod(0o755)
    done = subprocess.run(
        ["make", "setup", f"PYTHON={other}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=OUTSIDE,
    )
    assert done.returncode == 2
    assert f"{other} is not Python 3.11 to 3.13: name one that is with make PYTHON=" in done.stderr
    assert not (tmp_path / ".venv").exists()
