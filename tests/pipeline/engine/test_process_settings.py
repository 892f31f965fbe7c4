"""process_settings: what changes values is fixed, or part of the key; nothing else is."""

from __future__ import annotations

import json
import os

import pytest

from components import ingest, train, validate
from components.export import convert
from pipeline.engine.process_settings import (
    FIXED,
    KERAS_HOME,
    PREFIXES,
    fix_settings,
    ignored_settings,
    settings_in_key,
)
from pipeline.engine.source_code import library_versions
from pipeline.engine.step import Step


@pytest.mark.parametrize(
    ("name", "libraries"),
    [
        ("TF_ENABLE_ONEDNN_OPTS", {"tensorflow"}),
        ("TF_XLA_FLAGS", {"tensorflow"}),
        ("XLA_FLAGS", {"tensorflow"}),
        ("ONEDNN_DEFAULT_FPMATH_MODE", {"tensorflow"}),
        ("ONEDNN_MAX_CPU_ISA", {"tensorflow"}),
        ("CUDA_VISIBLE_DEVICES", {"tensorflow"}),
        ("TF_SET_ONEDNN_FPMATH_MODE", {"tensorflow"}),
        ("OPENBLAS_CORETYPE", {"numpy"}),
        ("NPY_DISABLE_CPU_FEATURES", {"numpy"}),
        ("ORT_MLAS_QKGEMM_S8_APPROX_VNNI", {"onnxruntime"}),
        ("KERAS_SOMETHING_NEW", {"keras"}),
        # They change no value, or are fixed, or are of another program.
        *((name, set()) for name in FIXED),
        *(
            (name, set())
            for name in (
                "TF_CPP_MIN_LOG_LEVEL",
                "TF_NUM_INTRAOP_THREADS",
                "OMP_NUM_THREADS",
                "OPENBLAS_NUM_THREADS",
                "ORT_DISABLE_TELEMETRY",
                "TF_VAR_region",
                "TF_CLI_CONFIG_FILE",
                "TF_DATA_DIR",
                "TFDS_DATA_DIR",
                "HOME",
            )
        ),
    ],
)
def test_variable_is_in_the_key_of_steps_whose_library_reads_it(name, libraries):
    assert {library for library in PREFIXES if settings_in_key([library], {name: "1"}) == {name: "1"}} == libraries
    assert settings_in_key(["tyro"], {name: "1"}) == {}


def test_file_of_flags_counts_by_its_content(tmp_path):
    file = tmp_path / "flags"
    found = []
    for flags in ("--xla_cpu_enable_fast_math=true", "--xla_cpu_enable_fast_math=false"):
        file.write_text(flags)
        found.append(settings_in_key(["tensorflow"], {"XLA_FLAGS": str(file)})["XLA_FLAGS"])
    assert found[0] != found[1]
    assert all(len(value) == 64 for value in found)
    assert settings_in_key(["tensorflow"], {"XLA_FLAGS": flags}) == {"XLA_FLAGS": flags}


def test_key_of_a_training_changes_and_that_of_a_check_of_data_does_not(monkeypatch):
    for name in ("ONEDNN_DEFAULT_FPMATH_MODE", "JSIMD_FORCENONE"):
        monkeypatch.delenv(name, raising=False)
    examples = Step(ingest, ingest.Params())

    def key():
        return examples.key(examples.parts({}, {}))

    def settings():
        return {module: settings_in_key(library_versions(module.__name__)) for module in (train, convert, validate)}

    before = key(), settings()
    monkeypatch.setenv("ONEDNN_DEFAULT_FPMATH_MODE", "BF16")
    assert {module for module in before[1] if before[1][module] != settings()[module]} == {train, convert}
    # Ingest decodes pictures without TensorFlow.
    assert key() == before[0]
    monkeypatch.setenv("JSIMD_FORCENONE", "1")
    assert key() != before[0]


def test_fixed_settings_are_set_or_removed(monkeypatch):
    for name in (*FIXED, "TF_NUM_INTRAOP_THREADS"):
        monkeypatch.setenv(name, "of another project")
    assert ignored_settings() == list(FIXED)
    fix_settings(3)
    assert ignored_settings() == []
    assert {name: os.environ.get(name) for name in FIXED} == dict(FIXED)
    assert os.environ["TF_NUM_INTRAOP_THREADS"] == "3"


def test_file_of_keras_has_its_defaults():
    import keras

    assert json.loads((KERAS_HOME / "keras.json").read_text()) == {
        "floatx": "float32",
        "epsilon": 1e-7,
        "backend": "tensorflow",
        "image_data_format": "channels_last",
    }
    assert keras.config.backend() == "tensorflow"
