"""Settings that libraries read as they start -> those that a run fixes, and those that are in a step's key."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

# The folder of a keras.json with Keras's own defaults. The user's file may be that of another project: its float64 or
# its other backend would change every model.
KERAS_HOME = Path(__file__).parent / "keras_home"
# Set by every run before a library starts, or removed (None). All of them change values: another backend, another
# number type, fewer epochs than asked for, the semantics of TensorFlow 1.
FIXED: Mapping[str, str | None] = {
    "KERAS_BACKEND": "tensorflow",
    "KERAS_HOME": str(KERAS_HOME),
    "KERAS_MAX_EPOCHS": None,
    "KERAS_MAX_STEPS_PER_EPOCH": None,
    "KERAS_NNX_ENABLED": None,
    "KERAS_TORCH_DEVICE": None,
    "TF2_BEHAVIOR": None,
    "TF_USE_LEGACY_KERAS": None,
}
# Set from the recipe.
THREADS = "TF_NUM_INTRAOP_THREADS"
# By library, the beginnings of the variables that it reads. Such a variable may choose another kernel, another order of
# additions or fewer bits, and new releases bring new ones; so each that is set is a part of the key.
PREFIXES: Mapping[str, tuple[str, ...]] = {
    "tensorflow": ("TF_", "TF2_", "XLA_", "ONEDNN_", "DNNL_", "EIGEN_", "CUDA_VISIBLE", "NVIDIA_TF32", "HIP_VISIBLE"),
    "keras": ("KERAS_",),
    "numpy": ("OPENBLAS_", "NPY_", "MKL_", "BLIS_"),
    "onnxruntime": ("ORT_",),
    "simplejpeg": ("JSIMD_",),
}
# They change what is printed, how memory is allocated, or how many processors work, but no value; the number of
# intra-op threads is a part of the recipe.
WITHOUT_EFFECT = re.compile(
    r"TF_CPP_\w+|\w*_NUM_THREADS|TF_NUM_INT(?:RA|ER)OP_THREADS|TF_FORCE_GPU_ALLOW_GROWTH|TF_GPU_ALLOCATOR|TF_GPU_THREAD_\w+"
    r"|ORT_DISABLE_TELEMETRY|OPENBLAS_VERBOSE|OPENBLAS_THREAD_TIMEOUT|MKL_THREADING_LAYER|MKL_SERVICE_FORCE_INTEL"
)
# Terraform's variables begin like TensorFlow's.
TERRAFORM = re.compile(
    r"TF_(?:VAR|CLI|TOKEN|CLOUD|LOG|PLUGIN_CACHE|REGISTRY|APPEND_USER_AGENT|STATE)\w*"
    r"|TF_(?:INPUT|IN_AUTOMATION|WORKSPACE|DATA_DIR|IGNORE|REATTACH_PROVIDERS|ACC|FORK|TEMP_LOG_PATH)"
)


def fix_settings(threads: int) -> None:
    """Sets the variables that must not vary, for this process and its children, before Keras and TensorFlow start.

    `threads` is TensorFlow's number of intra-op threads.
    """
    for name, value in {**FIXED, THREADS: str(threads)}.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def settings_in_key(libraries: Iterable[str], environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables that these libraries read and that may change values; of a file of flags, its SHA-256."""
    prefixes = tuple(prefix for library in libraries for prefix in PREFIXES.get(library, ()))
    given = os.environ if environ is None else environ
    return {
        name: _content(value) if name.endswith("_FLAGS") else value
        for name, value in sorted(given.items())
        if name.startswith(prefixes) and not _is_known(name)
    }


def ignored_settings(environ: Mapping[str, str] | None = None) -> list[str]:
    """The names of the variables that are set to another value than a run's, which a run does not use."""
    given = os.environ if environ is None else environ
    return [name for name, value in FIXED.items() if name in given and given[name] != value]


def _is_known(name: str) -> bool:
    return name in FIXED or any(known.fullmatch(name) for known in (WITHOUT_EFFECT, TERRAFORM))


def _content(flags: str) -> str:
    """Flags of XLA: what the variable holds, or the digest of the file that it names."""
    try:
        return hashlib.sha256(Path(flags).read_bytes()).hexdigest()
    except (OSError, ValueError):
        return flags
