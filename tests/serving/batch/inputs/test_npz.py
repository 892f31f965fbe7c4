"""npz: the only array of a .npz file is read as its .npy is; other archives are refused with what to do."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from serving.batch.images import find_images
from serving.batch.labels import open_labels
from serving.errors import InputError
from tests.serving.tiny_bundle import SHAPE, npy, random_images


def saved(tmp_path, save=np.savez, **arrays):
    save(tmp_path / "set.npz", **arrays)
    return tmp_path / "set.npz"


def refused(file):
    with pytest.raises(InputError) as caught:
        find_images([str(file)])
    return str(caught.value)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", "CF")
def test_images_and_labels_are_those_of_the_array(tmp_path, save, order):
    images = random_images(50)
    found = find_images([str(saved(tmp_path, save, arr_0=np.asarray(images, order=order)))])
    assert found.rows == 50
    np.testing.assert_array_equal(found.read(3, 40, SHAPE).images, images[3:40])
    found.require_unchanged()
    labels = open_labels(saved(tmp_path, save, labels=np.arange(9)), ("a", "b"))
    assert labels.read(2, 9).tolist() == list(range(2, 9))


def test_other_archives_are_refused_with_what_to_do(tmp_path):
    images = random_images(5)
    assert (
        'holds 2 arrays (train_images, y): save the images alone, e.g. with numpy.save("images.npy", '
        'numpy.load("set.npz")["train_images"])' in refused(saved(tmp_path, train_images=images, y=images))
    )
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("read.me", "text")
    assert "set.npz is a zip file without arrays: unpack it" in refused(tmp_path / "set.npz")
    content = bytearray(saved(tmp_path, x=images).read_bytes())
    content[content.index(images[3].tobytes())] ^= 1
    (tmp_path / "set.npz").write_bytes(content)
    assert "set.npz is a damaged .npz file (Bad CRC-32" in refused(tmp_path / "set.npz")
    (tmp_path / "set.npz").write_bytes(content[:-9])
    assert "set.npz is a damaged .npz file (File is not a zip file)" in refused(tmp_path / "set.npz")
    assert "holds float64, the model takes uint8" in refused(saved(tmp_path, x=images / 1))


def test_no_more_is_unpacked_than_the_header_claims(tmp_path, monkeypatch):
    from serving.batch.inputs import npz

    sizes = []
    unpack = npz.unpack
    monkeypatch.setattr(npz, "unpack", lambda *given: sizes.append(opened := unpack(*given)) or opened)
    file = tmp_path / "set.npz"
    content = npy(random_images(5))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", content + bytes(10**7))
    assert "bytes of values, its header says 120" in refused(file)
    assert sizes[0].size_bytes <= len(content) + 1
