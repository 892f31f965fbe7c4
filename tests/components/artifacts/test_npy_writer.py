"""npy_writer: the bytes of numpy.save, and an error if not all of them can be written."""

from __future__ import annotations

import ast
import io
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from components.artifacts.npy_writer import write_array
from tests.conftest import ROOT

DTYPES = st.sampled_from([np.uint8, np.int64, np.float32, np.float64])
SHAPES = arrays.array_shapes(min_dims=0, min_side=0, max_side=6)
LIMIT_BYTES = 4096
LIMITED = f"""
import resource, signal, sys
from pathlib import Path
import numpy as np
from components.artifacts.npy_writer import write_array
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT_BYTES}, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
write_array(Path(sys.argv[1]), np.arange(int(sys.argv[2])))
"""


@given(DTYPES.flatmap(lambda dtype: arrays.arrays(dtype, SHAPES)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_are_those_of_numpy(tmp_path, values):
    expected = io.BytesIO()
    np.save(expected, values)
    write_array(tmp_path / "array.npy", values)
    assert (tmp_path / "array.npy").read_bytes() == expected.getvalue()


@pytest.mark.parametrize("count", [400, 500, 510, 600, 100_000])
def test_array_that_does_not_fit_is_an_error_even_at_its_last_bytes(tmp_path, count):
    command = [sys.executable, "-c", LIMITED, tmp_path / "array.npy", str(count)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    fits = 128 + 8 * count <= LIMIT_BYTES
    assert (done.returncode == 0) == fits
    assert fits or "OSError: [Errno 27] File too large" in done.stderr


def test_no_module_uses_the_writers_that_lose_bytes():
    used = []
    for package in ("pipeline", "components", "serving"):
        for file in (ROOT / package).rglob("*.py"):
            calls = [node.func for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
            names = [ast.unparse(call) for call in calls if isinstance(call, ast.Attribute)]
            used += [(file.name, name) for name in names if name == "np.save" or name.endswith(".tofile")]
    assert used == []
