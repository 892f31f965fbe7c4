"""duplicate_search: the search by hashes finds the same duplicates as a comparison of all bytes."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.analyze import analyze, duplicate_search
from components.analyze.counting import count_block
from components.analyze.duplicate_search import (
    add_duplicates,
    content_hashes,
    find_duplicates,
    range_numbers,
    summarize,
)
from components.analyze.search import place_blocks
from components.artifacts.duplicates import NAMED_IMAGES, NAMED_PLACES, Group, Place
from components.beam import BeamOptions
from tests.components.examples_by_hand import write_examples

CLASSES = ("a", "b", "c")


def found_in(folder, splits, block_rows=7):
    (folder / "examples").mkdir()
    (folder / "out").mkdir()
    examples = write_examples(folder / "examples", splits, CLASSES, block_rows)
    return analyze.run(examples, BeamOptions(), folder / "out").duplicates


def compared(splits):
    """Groups of equal images, found by comparing their bytes."""
    places = defaultdict(list)
    for split, (images, labels) in splits.items():
        for row, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
            places[image.tobytes()].append(Place(split == "test", row, label))
    return [sorted(group) for group in places.values() if len(group) > 1]


@st.composite
def splits_with_equal_images(draw):
    """Images of two pixels with three values: many are equal."""
    splits = {}
    for split in ("train", "test"):
        rows = draw(st.integers(1, 25))
        pixels = draw(st.lists(st.integers(0, 2), min_size=2 * rows, max_size=2 * rows))
        labels = draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows))
        splits[split] = np.array(pixels, np.uint8).reshape(rows, 1, 2, 1), np.array(labels)
    return splits


@given(splits_with_equal_images(), st.integers(1, 9), st.integers(1, 5))
def test_search_by_hashes_equals_comparing_all_bytes(splits, block_rows, count):
    with tempfile.TemporaryDirectory() as folder:
        examples = write_examples(Path(folder), splits, CLASSES, block_rows)
        blocks = place_blocks(examples)
        for placed in blocks:
            count_block(placed, examples, Path(folder), count)
        found = add_duplicates(find_duplicates(number, count, Path(folder), blocks) for number in range(count))
    groups = compared(splits)
    assert found.leaks == sum(
        sum(place.test for place in group) for group in groups if not all(place.test for place in group)
    )
    assert found.label_conflicts == sum(len({place.label for place in group}) > 1 for group in groups)
    for split in ("train", "test"):
        in_split = [[place for place in group if place.split == split] for group in groups]
        assert found.repeats[split] == sum(len(group) - len({place.label for place in group}) for group in in_split)
    contradicting = [group for group in sorted(groups) if len({place.label for place in group}) > 1]
    assert sorted(group.rows for group in found.label_conflict_groups) == sorted(map(len, contradicting))
    assert {place for group in found.leak_groups for place in group.places} <= {
        place for group in groups for place in group
    }


def test_repeats_leaks_and_label_conflicts_are_named_by_row(tmp_path):
    random = np.random.default_rng(3)
    images = random.integers(0, 256, (1500, 6, 6, 3), dtype=np.uint8)
    train, test = images[:1000], images[1000:]
    labels = {"train": random.integers(0, 3, 1000), "test": random.integers(0, 3, 500)}
    rows = random.permutation(1000)
    pairs, conflicts, leaked = rows[:74].reshape(37, 2), rows[74:84].reshape(5, 2), rows[84:95]
    for one, other in pairs:
        train[other], labels["train"][other] = train[one], labels["train"][one]
    for one, other in conflicts:
        train[other], labels["train"][other] = train[one], (labels["train"][one] + 1) % 3
    tested = random.permutation(500)[:11]
    test[tested], labels["test"][tested] = train[leaked], labels["train"][leaked]

    found = found_in(tmp_path, {"train": (train, labels["train"]), "test": (test, labels["test"])}, block_rows=90)

    def named(groups):
        return {tuple((place.split, place.row) for place in group.places) for group in groups}

    assert (found.repeats, found.leaks, found.label_conflicts) == ({"test": 0, "train": 37}, 11, 5)
    assert named(found.repeat_groups) == {tuple(("train", int(row)) for row in sorted(pair)) for pair in pairs}
    assert named(found.label_conflict_groups) == {
        tuple(("train", int(row)) for row in sorted(pair)) for pair in conflicts
    }
    assert named(found.leak_groups) == {
        (("train", int(row)), ("test", int(other))) for row, other in zip(leaked, tested, strict=True)
    }


def test_all_groups_are_counted_and_the_first_are_named():
    groups = [[Place(False, 2 * row, 0), Place(False, 2 * row + 1, 0)] for row in range(NAMED_IMAGES + 5)]
    found = summarize(reversed(groups))
    assert found.repeats["train"] == NAMED_IMAGES + 5
    assert found.repeat_groups == tuple(Group(tuple(group), 2) for group in groups[:NAMED_IMAGES])


def test_named_places_include_one_of_each_split_and_label():
    places = [Place(False, row, 0) for row in range(50)] + [Place(False, 50, 2), Place(True, 3, 0)]
    found = summarize([places])
    (group,) = found.leak_groups
    assert group.rows == 52
    assert len(group.places) == NAMED_PLACES
    assert {Place(False, 0, 0), Place(False, 50, 2), Place(True, 3, 0)} < set(group.places)
    assert list(group.places) == sorted(group.places)


def test_duplicates_are_found_in_several_ranges(monkeypatch, tmp_path):
    monkeypatch.setattr(duplicate_search, "RANGE_ROWS", 10)
    assert (len(range_numbers(0)), len(range_numbers(10)), len(range_numbers(31))) == (1, 1, 4)
    images = np.arange(40, dtype=np.uint8).reshape(40, 1, 1, 1) % 30
    splits = {"train": (images, np.zeros(40, np.int64)), "test": (images[:1] + 200, np.zeros(1, np.int64))}
    assert found_in(tmp_path, splits).repeats == {"test": 0, "train": 10}


@pytest.mark.parametrize("shape", [(5,), (8, 8, 1), (3, 3, 3), (1, 1, 1)])
def test_hash_depends_on_every_bit(shape):
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    bits = np.unpackbits(image)
    changed = np.repeat(bits[None], len(bits) + 1, axis=0)
    changed[range(len(bits)), range(len(bits))] ^= 1
    images = np.packbits(changed, axis=1).reshape(-1, *shape)
    hashes = content_hashes(images)
    assert hashes.shape == (len(bits) + 1, 2)
    # The guarantee is for the upper halves alone, and for any division into rows.
    assert len(np.unique(hashes >> np.uint64(32), axis=0)) == len(bits) + 1
    assert np.array_equal(content_hashes(images[2:5]), hashes[2:5])


def test_images_that_differ_in_upper_bits_only_have_different_hashes():
    # Sums with 32-bit factors would be equal for many of these images.
    values = np.arange(0, 256, 8)
    images = np.zeros((len(values) ** 2, 8), np.uint8)
    images[:, 3], images[:, 7] = np.repeat(values, len(values)), np.tile(values, len(values))
    assert len(np.unique(content_hashes(images) >> np.uint64(32), axis=0)) == len(images)


def test_hashes_of_other_types_depend_on_their_bits():
    images = np.array([[0.0], [1.0], [np.nan], [np.nan], [1.0]], np.float32)
    first = content_hashes(images)[:, 0]
    assert (first[1], first[2]) == (first[4], first[3])
    assert len(set(first.tolist())) == 3
