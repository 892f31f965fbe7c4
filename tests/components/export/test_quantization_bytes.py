"""quantization: the same model and images give the same bytes, in any process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnx.reference
import onnx.version_converter
import onnxruntime
import pytest

from components.export.quantization import quantize
from tests.components.export.quantized_networks import bytes_of, random_images
from tests.conftest import ROOT

IN_ANOTHER_PROCESS = """
import sys
import numpy, onnx
from components.export.quantization import quantize
from components.batches.normalized import normalize

model = onnx.load(sys.argv[1])
images = numpy.load(sys.argv[2])
quantize(onnx.load(sys.argv[3]), images[:7])
sys.stdout.buffer.write(quantize(model, images).SerializeToString(deterministic=True))
"""


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_another_process_gives_the_same_bytes_after_other_work(networks, name, tmp_path):
    images = random_images(230, (9, 7, 1))
    onnx.save(networks(name)[2], tmp_path / "model.onnx")
    onnx.save(networks("linear")[2], tmp_path / "other.onnx")
    np.save(tmp_path / "images.npy", images)
    expected = bytes_of(quantize(networks(name)[2], images))
    files = [str(tmp_path / file) for file in ("model.onnx", "images.npy", "other.onnx")]
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", IN_ANOTHER_PROCESS, *files],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        assert done.stdout == expected


def test_names_have_no_numbers_of_the_process(networks):
    graph = quantize(networks("cnn")[2], random_images(200, (9, 7, 1))).graph
    assert [tensor.name for tensor in graph.initializer] == [f"constant_{n}" for n in range(len(graph.initializer))]
    names = [name for node in graph.node for name in node.output]
    assert len(set(names)) == len(names)


def test_calibration_uses_one_thread(networks, monkeypatch):
    given = []

    class Session(onnxruntime.InferenceSession):
        def __init__(self, model, options, **arguments):
            given.append((options.intra_op_num_threads, arguments["providers"]))
            super().__init__(model, options, **arguments)

    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    quantize(networks("mlp")[2], random_images(200, (9, 7, 1)))
    assert given == [(1, ["CPUExecutionProvider"])]


def test_every_calibration_image_is_used(networks):
    images = np.zeros((250, 9, 7, 1), np.uint8)
    dark = bytes_of(quantize(networks("mlp")[2], images))
    images[249] = 255
    assert bytes_of(quantize(networks("mlp")[2], images)) != dark


def test_nothing_is_printed_and_no_file_is_left(networks, tmp_path, monkeypatch, capfd, caplog):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    quantize(networks("cnn")[2], random_images(200, (9, 7, 1)))
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_float_model_is_not_changed(networks):
    converted = networks("cnn")[2]
    before = bytes_of(converted)
    quantize(converted, random_images(200, (9, 7, 1)))
    assert bytes_of(converted) == before
