"""resizing: images may be resized only as the training images were."""

from __future__ import annotations

import pytest

from serving.bundle.resizing import require_resizing, resizes
from serving.errors import InputError
from serving.resize import METHOD
from tests.serving.tiny_bundle import resized_to


def test_model_of_resized_images_resizes(seal):
    bundle = seal(preprocessing=resized_to())
    assert resizes(bundle.manifest)
    require_resizing(bundle)


@pytest.mark.parametrize(
    ("preprocessing", "message"),
    [
        (
            {"resize": None},
            r"its training images were not resized: give images of 3×4 pixels \(width × height\), "
            r"or train a model with --ingest\.resize 4 3$",
        ),
        ({}, r"an older release made it, and recorded no method: give images of 3×4 pixels"),
        (
            resized_to(method="nearest"),
            f"by the method 'nearest', this release knows {METHOD!r}: score with the release that made the bundle$",
        ),
    ],
    ids=["not resized", "older", "other method"],
)
def test_model_that_cannot_resize_is_refused(seal, preprocessing, message):
    bundle = seal(preprocessing=preprocessing)
    assert not resizes(bundle.manifest)
    with pytest.raises(InputError, match=message) as caught:
        require_resizing(bundle)
    assert str(caught.value).startswith(f"images cannot be resized for {bundle.path}: ")
