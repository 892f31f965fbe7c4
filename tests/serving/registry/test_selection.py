"""selection: the named model, or the only promoted model that fits the images."""

from __future__ import annotations

import numpy as np
import pytest

from serving.batch.images import find_images
from serving.blocks import OtherSizes
from serving.errors import BundleError, InputError
from serving.registry.selection import find_bundle
from tests.serving import tiny_bundle
from tests.serving.tiny_bundle import random_images, resized_to

SQUARE, WIDE = (4, 4, 1), (2, 6, 1)


def file_of(folder, image_shape):
    np.save(folder / "images.npy", random_images(3, image_shape))
    return find_images([str(folder / "images.npy")])


@pytest.fixture
def square(tmp_path):
    return file_of(tmp_path, SQUARE)


def publish(registry, seal, name, image_shape=SQUARE, seed=0, resized=False):
    preprocessing = resized_to(image_shape) if resized else None
    sealed = seal(model=name, image_shape=image_shape, seed=seed, preprocessing=preprocessing)
    return tiny_bundle.publish(registry, sealed, name, "run")


def test_only_model_is_selected(registry, seal, square):
    promoted = publish(registry, seal, "square")
    bundle, version = find_bundle(square, registry.root, None)
    assert (bundle.path, bundle.sha256, version) == (promoted.path, promoted.sha256, 1)


def test_selected_version_is_the_promoted_one(registry, seal, square):
    publish(registry, seal, "square")
    publish(registry, seal, "square", seed=1)
    bundle, version = find_bundle(square, registry.root, None)
    assert (bundle.path.name, version) == ("2", 2)
    publish(registry, seal, "square")
    assert find_bundle(square, registry.root, None)[1] == 1


@pytest.mark.parametrize(("image_shape", "expected"), [(SQUARE, "square"), (WIDE, "wide")])
def test_model_that_fits_is_selected(registry, seal, tmp_path, image_shape, expected):
    publish(registry, seal, "square", SQUARE)
    publish(registry, seal, "wide", WIDE)
    bundle, version = find_bundle(file_of(tmp_path, image_shape), registry.root, None)
    assert (bundle.manifest.model, version) == (expected, 1)


def test_one_of_two_models_that_fit_must_be_named(registry, seal, square):
    publish(registry, seal, "first")
    publish(registry, seal, "second")
    with pytest.raises(InputError, match=r"fits 2 promoted models \(first, second\): choose one with --model NAME"):
        find_bundle(square, registry.root, None)
    assert find_bundle(square, registry.root, "second")[0].manifest.model == "second"


def test_models_are_listed_if_none_fits(registry, seal, tmp_path):
    publish(registry, seal, "square", SQUARE)
    publish(registry, seal, "wide", WIDE)
    with pytest.raises(InputError, match=r"fits none of the promoted models .*square, wide"):
        find_bundle(file_of(tmp_path, (5, 5, 1)), registry.root, None)


def test_model_that_can_resize_is_selected_whatever_the_size(registry, seal, tmp_path):
    publish(registry, seal, "square", SQUARE)
    publish(registry, seal, "wide", WIDE, resized=True)
    publish(registry, seal, "colour", (2, 6, 3), resized=True)
    for image_shape in ((5, 5, 1), SQUARE, WIDE):
        images = file_of(tmp_path, image_shape).with_other_sizes(OtherSizes.RESIZED)
        assert find_bundle(images, registry.root, None)[0].manifest.model == "wide"
    images = file_of(tmp_path, (5, 5, 3)).with_other_sizes(OtherSizes.RESIZED)
    assert find_bundle(images, registry.root, None)[0].manifest.model == "colour"


def test_one_of_two_models_that_can_resize_must_be_named(registry, seal, tmp_path):
    publish(registry, seal, "square", SQUARE, resized=True)
    publish(registry, seal, "wide", WIDE, resized=True)
    images = file_of(tmp_path, (5, 5, 1)).with_other_sizes(OtherSizes.RESIZED)
    with pytest.raises(InputError, match=r"fits 2 promoted models \(square, wide\): choose one with --model NAME"):
        find_bundle(images, registry.root, None)


def test_resizing_is_advised_if_a_model_can(registry, seal, tmp_path):
    publish(registry, seal, "square", SQUARE)
    publish(registry, seal, "wide", WIDE, resized=True)
    images = file_of(tmp_path, (5, 5, 1))
    with pytest.raises(InputError, match=r"fits none of .*one of them, or add --resize, which wide can do"):
        find_bundle(images, registry.root, None)


def test_models_are_listed_if_none_can_resize(registry, seal, square):
    publish(registry, seal, "square", SQUARE)
    publish(registry, seal, "wide", WIDE)
    with pytest.raises(InputError, match=r"square, wide\) that can resize images: .*--ingest\.resize"):
        find_bundle(square.with_other_sizes(OtherSizes.RESIZED), registry.root, None)


def test_named_model_is_selected(registry, seal, square):
    publish(registry, seal, "square", SQUARE)
    publish(registry, seal, "wide", WIDE)
    assert find_bundle(square, registry.root, "wide")[0].manifest.model == "wide"


def test_bundle_folder_has_no_version(registry, seal, square):
    sealed = seal(image_shape=SQUARE)
    bundle, version = find_bundle(square, registry.root, str(sealed.path))
    assert (bundle.path, bundle.sha256, version) == (sealed.path, sealed.sha256, None)


def test_model_folder_selects_its_promoted_version(registry, seal, square, tmp_path):
    promoted = publish(registry, seal, "square")
    bundle, version = find_bundle(square, tmp_path / "elsewhere", str(registry.root / "square"))
    assert (bundle.path, version) == (promoted.path, 1)


@pytest.mark.parametrize("wanted", [None, "square"])
def test_registry_without_a_promoted_model_is_refused(registry, square, wanted):
    with pytest.raises(InputError, match=r"python -m pipeline run") as caught:
        find_bundle(square, registry.root, wanted)
    assert str(registry.root) in str(caught.value)


def test_unknown_model_is_refused_with_the_known_models(registry, seal, square):
    publish(registry, seal, "square")
    with pytest.raises(InputError, match=r"--model sqare is neither .* has square"):
        find_bundle(square, registry.root, "sqare")


@pytest.mark.parametrize("by_folder", [False, True])
def test_bundle_that_differs_from_the_promoted_one_is_refused(registry, seal, square, by_folder):
    promoted = publish(registry, seal, "square")
    (promoted.path / "model.onnx").write_bytes(b"another")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        find_bundle(square, registry.root, str(promoted.path) if by_folder else None)
