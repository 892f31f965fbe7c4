"""idx: decompression is bounded, and its temporary file has no name."""

from __future__ import annotations

import gzip

import numpy as np

from tests.serving.batch.inputs.array_files import IMAGES, opened, refusal
from tests.serving.batch.inputs.encoded_files import idx
from tests.serving.tiny_bundle import random_images


def test_at_most_one_byte_more_than_the_header_claims_is_decompressed(tmp_path, monkeypatch):
    claimed = idx(random_images(2))
    read = 0
    plain = gzip.GzipFile.read

    def counted(self, size=-1):
        nonlocal read
        piece = plain(self, size)
        read += len(piece)
        return piece

    monkeypatch.setattr(gzip.GzipFile, "read", counted)
    assert "49 bytes of values" in refusal(tmp_path / "images.gz", gzip.compress(claimed + bytes(10_000_000), mtime=0))
    assert read == len(claimed) + 1


def test_failed_decompression_names_the_temporary_folder(tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    message = refusal(tmp_path / "images.gz", gzip.compress(idx(IMAGES), mtime=0))
    assert "cannot be decompressed: No such file or directory: set TMPDIR" in message


def test_decompressed_file_has_no_name(tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    images = opened(tmp_path / "images.gz", gzip.compress(idx(IMAGES), mtime=0))
    assert [path.name for path in tmp_path.iterdir()] == ["images.gz"]
    np.testing.assert_array_equal(images.read(0, 2, (4, 3, 2)).images, IMAGES)
