"""model: the digest of the weights."""

from __future__ import annotations

import shutil
from dataclasses import replace


def test_the_digest_of_the_weights_depends_on_every_file_of_weights_only(made, tmp_path):
    shutil.copytree(made.model.path, tmp_path / "model")
    copied = replace(made.model, path=tmp_path / "model")
    digest = made.model.weights_sha256()
    (copied.path / "summary.txt").write_text("another table")
    assert copied.weights_sha256() == digest
    for file in copied.path.glob("weights-*.npy"):
        content = file.read_bytes()
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert copied.weights_sha256() != digest
        file.write_bytes(content)
    assert copied.weights_sha256() == digest
