"""store and registry on a file system that lacks one thing after the other, with each answer that there is."""

from __future__ import annotations

import errno

import numpy as np
import pytest

from components.artifacts.examples import Examples
from components.batches.row_reader import Column
from serving import locks
from serving.registry.pointer import lock_pointer
from serving.registry.registry import Registry
from tests.lacking_file_system import refuse_calls
from tests.serving.tiny_bundle import publish, seal

NUMBERS = [errno.ENOTSUP, errno.EINVAL, errno.EPERM, errno.ENOSYS]
CALLS = ["link", "flock", "fsync", "mmap"]


@pytest.fixture(params=CALLS)
def lacking(request, monkeypatch):
    """Replaces one call, which then gives this answer."""
    monkeypatch.setattr(locks, "_warned", set())

    def replace(module, name, function):
        if name == request.param:
            monkeypatch.setattr(module, name, function)

    return lambda number: refuse_calls(number, replace)


@pytest.mark.parametrize("number", NUMBERS)
def test_steps_promotions_and_rollbacks_need_none_of_these(toy, tmp_path, lacking, number):
    lacking(number)
    assert [outcome.outcome for outcome in toy.run().values()] == ["executed"] * 3
    registry = Registry(tmp_path / "models")
    for seed in (1, 2):
        publish(registry, seal(tmp_path / "sealed" / str(seed), seed=seed), "mnist", "0001")
    with lock_pointer(registry, "mnist") as pointer:
        assert pointer.roll_back(None, "slow").version == 1


@pytest.mark.parametrize("number", NUMBERS)
def test_images_are_read_without_memory_maps(made, lacking, number):
    lacking(number)
    examples = Examples.load(made.examples.path)
    for block in examples.blocks["test"]:
        images = np.load(examples.path / block.images_file)
        np.testing.assert_array_equal(examples.images(block), images)
        rows = np.array([0, 2, len(images) - 1])
        taken = np.empty((3, *images.shape[1:]), np.uint8)
        Column.of(examples.path / block.images_file).read_into(taken, rows)
        np.testing.assert_array_equal(taken, images[rows])
