"""pointer: readers that score during promotions and rollbacks get the probabilities of the version that they read."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from serving.registry.pointer import lock_pointer
from serving.scoring.scorer import Scorer
from tests.conftest import ROOT
from tests.serving.tiny_bundle import publish, random_images

READERS = 8
CHANGES = 200

READER = """
import json, sys
from pathlib import Path
import numpy as np
sys.path.insert(0, sys.argv[1])
from serving.bundle.bundle import load_bundle
from serving.registry.registry import Registry
from serving.scoring.scorer import Scorer

registry, images, done = Registry(Path(sys.argv[2])), np.load(sys.argv[3]), Path(sys.argv[4])
expected = {int(version): np.load(file) for version, file in json.loads(sys.argv[5]).items()}
read, seen = 0, {}
last = False
while True:
    promoted = registry.promoted("tiny")
    scores = Scorer(load_bundle(promoted.path, promoted.sha256), threads=1).score(images)
    if not np.array_equal(scores.probabilities, expected[promoted.version]):
        sys.exit(f"version {promoted.version} answered as another")
    seen[promoted.version] = seen.get(promoted.version, 0) + 1
    read += 1
    if read == 1:
        print("ready", flush=True)
    if last:
        break
    last = done.exists()
print(json.dumps(seen))
"""


@pytest.mark.exhaustive
def test_eight_readers_during_200_promotions_and_rollbacks(registry, seal, tmp_path):
    bundles = [seal(seed=seed) for seed in range(3)]
    images = random_images(20)
    np.save(tmp_path / "images.npy", images)
    expected = {}
    for version, candidate in enumerate(bundles, start=1):
        publish(registry, candidate)
        expected[version] = str(tmp_path / f"{version}.npy")
        np.save(expected[version], Scorer(candidate, threads=1).score(images).probabilities)
    done = tmp_path / "done"
    arguments = [str(ROOT), str(registry.root), str(tmp_path / "images.npy"), str(done), json.dumps(expected)]
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(READERS)
    ]
    try:
        for reader in readers:
            assert reader.stdout.readline() == "ready\n", reader.stderr.read()
        for turn in range(CHANGES // 2):
            with lock_pointer(registry, "tiny") as pointer:
                pointer.roll_back(1 + turn % 2, "to and fro")
            publish(registry, bundles[2])
    finally:
        done.touch()
    answers = [reader.communicate() for reader in readers]
    assert [reader.returncode for reader in readers] == [0] * READERS, answers
    seen = [json.loads(output) for output, _ in answers]
    assert all(sum(by_version.values()) > 2 for by_version in seen)
    assert {version for by_version in seen for version in by_version} == {"1", "2", "3"}
    events = registry.promotion_events("tiny").events
    assert [event.sequence for event in events] == list(range(1, 3 + CHANGES + 1))
