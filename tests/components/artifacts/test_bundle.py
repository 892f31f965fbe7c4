"""bundle: its identity."""

from __future__ import annotations

import hashlib

from components.artifacts.bundle import Bundle


def test_the_identity_of_a_bundle_is_the_digest_of_its_manifest(made):
    assert (
        Bundle.load(made.bundle.path).sha256
        == hashlib.sha256((made.bundle.path / "manifest.json").read_bytes()).hexdigest()
    )
