"""libraries: TensorFlow is imported when a step needs it, and without other libraries."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

from components import ingest, train
from pipeline.engine import libraries
from pipeline.engine.libraries import need_tensorflow
from pipeline.engine.step import Step
from tests.conftest import ROOT
from tests.pipeline.engine.test_step import EXAMPLES, MODEL


def test_only_steps_that_need_it_ask_for_tensorflow(monkeypatch):
    monkeypatch.setattr(libraries, "sys", SimpleNamespace(modules={}))
    assert EXAMPLES.component.module is ingest
    assert MODEL.component.module is train
    assert not need_tensorflow([EXAMPLES])
    assert need_tensorflow([EXAMPLES, MODEL])
    monkeypatch.setattr(libraries, "sys", SimpleNamespace(modules={"tensorflow": libraries}))
    assert not need_tensorflow([MODEL])
    assert not need_tensorflow(tuple[Step, ...]())


def test_libraries_are_imported_without_others_which_can_be_imported_later():
    code = """
import sys
from pipeline.engine.libraries import import_beam, import_tensorflow
import_beam()
import_tensorflow()
assert {"apache_beam", "tensorflow", "keras"} <= sys.modules.keys()
assert not {"pymongo", "apache_beam.io.gcp.bigquery", "matplotlib", "h5py", "scipy"} & sys.modules.keys()
import apache_beam.io.gcp.bigquery, h5py, matplotlib.figure, pymongo, scipy.sparse
import_beam()
import_tensorflow()
assert apache_beam.io.gcp.bigquery.WriteToBigQuery and matplotlib.figure.Figure and sys.modules["scipy"] is scipy
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
