"""verify: TensorFlow takes a folder whose name has `*`, `?` or `[` for the names of other folders."""

from __future__ import annotations

import shutil
from dataclasses import replace

from components.rounding.layers import Weighted, layers_of
from components.verify.backends import saved_model_backend
from components.verify.file_rules import constant_rules, load_onnx_models
from serving.bundle.bundle import load_bundle


def test_bundle_in_a_folder_whose_name_is_a_pattern_is_read(made, tmp_path):
    folder = tmp_path / "runs[1] *?{a}"
    shutil.copytree(made.bundle.path, folder)
    opened = load_bundle(folder)
    layers = layers_of(made.model)
    assert any(isinstance(layer, Weighted) for layer in layers)
    rules = constant_rules(opened, load_onnx_models(opened), layers, made.transform)
    assert [rule.passed for rule in rules] == [True, True]
    images = made.examples.all_images("test")[:5]
    assert saved_model_backend(replace(made.bundle, path=folder))(images, 5).shape == (5, 4)
