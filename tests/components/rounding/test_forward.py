"""forward: the forward pass in numpy gives what Keras, and sums written out in Python, give."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from components.artifacts.preprocessing import Transform
from components.rounding.forward import Arithmetic, Forward, ValuePlace, fold
from components.rounding.layers import Pooling, Weighted, layers_of, products_of
from components.rounding.quantized import measure_ranges
from serving.errors import BeamlineError

SHAPES = [((8, 8, 1), {"hidden": (5,)}), ((7, 5, 3), {"convolutions": (4, 3), "hidden": (6,)}), ((3, 2, 3), {})]


def images_of(shape, rows=6, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (rows, *shape), np.uint8)


def standardized(transform):
    channels = len(transform.scale)
    return replace(transform, scale=(1 / 60, 1 / 75, 1 / 50)[:channels], offset=(-0.7, -1.1, 0.2)[:channels])


@pytest.mark.parametrize(("shape", "layers"), SHAPES)
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "elu", "gelu"])
@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_probabilities_are_those_of_keras(write_untrained, unit_transform, tmp_path, shape, layers, activation, output):
    model = write_untrained(tmp_path, shape, 4, hidden_activation=activation, output_activation=output, **layers)
    transform, images = standardized(unit_transform(shape[2], 4)), images_of(shape)
    scores = model.keras_model()(images * np.float32(transform.scale) + np.float32(transform.offset)).numpy()
    found, sums = Forward(layers_of(model), transform, shape).run(images)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, scores / scores.sum(axis=1, keepdims=True), rtol=2e-5, atol=1e-7)
    np.testing.assert_allclose(sums, scores.sum(axis=1), rtol=2e-5)


def weighted_sum(image, kernel, bias, unit):
    return math.fsum([*(float(x) * float(w) for x, w in zip(image.ravel(), kernel[:, unit], strict=True)), bias[unit]])


def test_dense_layers_are_sums_of_products():
    random = np.random.default_rng(3)
    layer = Weighted("scores", *(random.normal(size=size).astype(np.float32) for size in ((12, 3), (3,))), "softmax")
    image = images_of((2, 2, 3), rows=1)
    scores = [weighted_sum(image * float(np.float32(1 / 255)), layer.kernel, layer.bias, unit) for unit in range(3)]
    expected = [math.exp(score) / math.fsum(map(math.exp, scores)) for score in scores]
    assert Forward([layer], unit(3), (2, 2, 3)).run(image)[0][0].tolist() == pytest.approx(expected, rel=1e-14)


def unit(channels):
    return Transform(
        path=None, normalization="unit", scale=(1 / 255,) * channels, offset=(0.0,) * channels, class_names=()
    )


def test_convolution_and_pooling_are_those_of_the_definition():
    random = np.random.default_rng(4)
    kernel, bias = random.normal(size=(3, 3, 2, 1)).astype(np.float32), np.float32([0.5])
    values = random.integers(0, 256, (1, 5, 4, 2), np.uint8)
    padded = np.pad(values[0].astype(float), ((1, 1), (1, 1), (0, 0)))
    sums = [[math.fsum((padded[y : y + 3, x : x + 3] * kernel[..., 0]).ravel()) for x in range(4)] for y in range(5)]
    convolved = np.array(sums) + 0.5
    # An odd height: the last row of squares has one row of values.
    pooled = [[convolved[y : y + 2, x : x + 2].max() for x in (0, 2)] for y in (0, 2, 4)]
    seen = {}

    def watch(place, found):
        seen[place] = found
        return found

    plain = replace(unit(2), scale=(1.0, 1.0))
    last = Weighted("scores", np.ones((6, 2), np.float32), np.zeros(2, np.float32), "softmax")
    layers = [Weighted("c", kernel, bias, "relu"), Pooling(2), last]
    Forward(layers, plain, (5, 4, 2)).run(values, Arithmetic(watch=watch))
    np.testing.assert_allclose(seen[ValuePlace(0)][0, ..., 0], np.maximum(convolved, 0), rtol=1e-13)
    np.testing.assert_allclose(seen[ValuePlace(1)][0, ..., 0], np.maximum(pooled, 0), rtol=1e-13)


@pytest.mark.parametrize(("shape", "layers"), SHAPES)
def test_folded_layers_give_the_same_probabilities(write_untrained, unit_transform, tmp_path, shape, layers):
    model, images = write_untrained(tmp_path, shape, 4, **layers), images_of(shape)
    for transform in (unit_transform(shape[2], 4), standardized(unit_transform(shape[2], 4))):
        forward = Forward(layers_of(model), transform, shape)
        exact, _ = forward.run(images)
        folded, _ = forward.run(images, Arithmetic(np.float32, folded=True))
        np.testing.assert_allclose(folded, exact, rtol=1e-4)
        assert folded.dtype == np.float32


def test_folded_weights_take_pixels():
    layer = Weighted("first", np.float32([[2, 3], [5, 7], [11, 13], [17, 19]]), np.float32([1, -1]), "relu")
    transform = replace(unit(2), scale=(0.5, 0.25), offset=(1.0, -2.0))
    folded = fold(layer, transform, (1, 2, 2))
    assert folded.kernel.tolist() == [[1, 1.5], [1.25, 1.75], [5.5, 6.5], [4.25, 4.75]]
    assert folded.bias.tolist() == [1 + 2 - 10 + 11 - 34, -1 + 3 - 14 + 13 - 38]


def test_products_are_counted(write_untrained, tmp_path):
    model = write_untrained(tmp_path, (7, 5, 3), 4, convolutions=(2, 4), hidden=(6,))
    # 7×5 and 4×3 positions; the second pooling leaves 2×2.
    assert products_of(layers_of(model), (7, 5, 3)) == 35 * 54 + 12 * 72 + 16 * 6 + 6 * 4


def test_ranges_are_those_of_all_images_and_contain_0():
    layer = Weighted("scores", np.eye(2, dtype=np.float32), np.zeros(2, np.float32), "softmax")
    images = np.uint8([[10, 20], [200, 30]]).reshape(2, 1, 2, 1)
    ranges = measure_ranges([layer], replace(unit(1), scale=(1.0,)), images)
    assert ranges[ValuePlace(-1)] == (0.0, 200.0)
    assert ranges[ValuePlace(0)] == (0.0, 1.0)


@pytest.mark.parametrize(("activation", "sums"), [("tanh", (-3.0, 5.0)), ("relu", None)])
def test_sums_of_a_convolution_have_a_range_unless_relu_follows(activation, sums):
    convolution = Weighted("c", np.float32([[[[1.0]]]]), np.float32([-3]), activation)
    scores = Weighted("scores", np.eye(2, dtype=np.float32), np.zeros(2, np.float32), "softmax")
    images = np.uint8([0, 8]).reshape(1, 1, 2, 1)
    ranges = measure_ranges([convolution, scores], replace(unit(1), scale=(1.0,)), images)
    assert ranges.get(ValuePlace(0, summed=True)) == sums


def test_unknown_layer_is_refused_by_name(write_untrained, tmp_path):
    model = write_untrained(tmp_path, (8, 8, 1), 4)
    file = tmp_path / "architecture.json"
    file.write_text(file.read_text().replace('"Flatten"', '"Cropping2D"'))
    with pytest.raises(BeamlineError, match="layer flatten is a Cropping2D that verify cannot calculate"):
        layers_of(model)
