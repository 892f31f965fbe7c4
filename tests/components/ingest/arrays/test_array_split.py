"""array_split: the shapes and types of images and labels."""

from __future__ import annotations

import numpy as np
import pytest

from tests.components.ingest.arrays.array_files import (
    HALVES,
    IMAGES,
    LABELS,
    plan,
    read_rows,
    refusal,
    saved,
)


@pytest.mark.parametrize("labels_type", ["<u8", ">u8"])
def test_labels_are_only_cast_exactly(tmp_path, labels_type):
    most = np.array([2**63 - 1] * 20, labels_type)
    planned = plan(saved(tmp_path, **{**HALVES, "y_train": most}), tmp_path, classes=3)
    assert (read_rows(planned, "train")[1] == 2**63 - 1).all()
    most[6] += 1
    file = saved(tmp_path, **{**HALVES, "y_train": most})
    assert "y_train has the label 9223372036854775808 in row 6" in refusal(file, tmp_path, classes=3, block_rows=4)


def test_only_uint8_images_are_resized(tmp_path):
    from serving.resize import resize

    file = saved(tmp_path, x_train=IMAGES, y_train=LABELS, x_test=np.repeat(IMAGES, 2, axis=2), y_test=LABELS)
    assert "x_train have shape (5, 4, 1)" in refusal(file, tmp_path)
    planned = plan(file, tmp_path, resize=(3, 7))
    assert planned.image_shape == (3, 7, 1)
    expected = np.stack([resize(image[..., None], (3, 7)) for image in IMAGES])
    np.testing.assert_array_equal(read_rows(planned, "train")[0], expected)
    fractions = IMAGES / np.float32(255)
    planned = plan(saved(tmp_path, x=fractions, y=LABELS), tmp_path, resize=(3, 7))
    assert planned.image_shape == (5, 4, 1)
    np.testing.assert_array_equal(read_rows(planned, "train")[0], fractions[:24, ..., None], strict=True)


def test_resizing_in_pieces_gives_the_same_images(tmp_path, monkeypatch):
    import components.ingest.arrays.array_split

    file = saved(tmp_path, x=IMAGES, y=LABELS)
    whole = read_rows(plan(file, tmp_path, resize=(3, 7)), "train")[0]
    monkeypatch.setattr(components.ingest.arrays.array_split, "PART_BYTES", 70)
    np.testing.assert_array_equal(read_rows(plan(file, tmp_path, resize=(3, 7)), "train")[0], whole)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"x_train": IMAGES[:20].reshape(20, -1)},
            "x_train has shape (20, 20), images are (n, h, w) or (n, h, w, c): reshape them",
        ),
        (
            {"x_train": np.zeros((20, 784), np.uint8)},
            "if each row is a grey image of 28×28 pixels, save images.reshape(-1, 28, 28)",
        ),
        (
            {"x_train": np.zeros((20, 3072), np.uint8)},
            "save images.reshape(-1, 32, 32, 3), or images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)",
        ),
        ({"x_train": IMAGES[0, 0]}, "x_train has shape (4,)"),
        ({"x_train": IMAGES[:0], "y_train": LABELS[:0]}, "x_train has shape (0, 5, 4)"),
        ({"x_train": IMAGES[:20, :0]}, "x_train has shape (20, 0, 4)"),
        ({"x_train": np.uint8(3)}, "x_train has shape ()"),
        (
            {"y_train": LABELS[:20, None, None]},
            "y_train has shape (20, 1, 1), labels are (n,), or one-hot (n, classes)",
        ),
        ({"y_train": np.int64(3)}, "y_train has shape ()"),
        ({"y_train": LABELS[:19]}, "x_train has 20 images and "),
        ({"x_train": IMAGES[:20].astype(object)}, "x_train holds Python objects, which are never loaded"),
        ({"y_train": LABELS[:20].astype(object)}, "y_train holds Python objects, which are never loaded"),
        ({"y_train": LABELS[:20].astype(complex)}, "y_train holds complex128: save labels as an array of numbers or t"),
        ({"x_train": IMAGES[:20].astype(complex)}, "x_train holds complex128"),
        ({"x_train": IMAGES[:20].view([("a", "u1")])}, "x_train holds [('a', 'u1')]"),
        ({"x_more": IMAGES}, "holds x_more, the images of more, without labels"),
        ({"y_more": LABELS}, "holds y_more, the labels of more, without images"),
        ({"x": IMAGES, "y": LABELS}, "holds both x_train and x as the images of train"),
    ],
)
def test_other_shapes_and_types_are_refused(tmp_path, changes, message):
    assert message in refusal(saved(tmp_path, **{**HALVES, **changes}), tmp_path)
