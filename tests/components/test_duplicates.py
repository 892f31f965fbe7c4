"""duplicates: what is found in hashes of blocks is what a comparison of all images with all others finds."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import components.duplicates
from components import analyze
from components.artifacts.duplicates import NAMED_IMAGES, NAMED_PLACES, Group, Place
from components.beam import BeamOptions
from components.content_hash import content_hashes
from components.duplicates import find_duplicates, ranges, summarize, total
from tests.components.examples_by_hand import write_examples

CLASSES = ("a", "b", "c")


def found_in(folder, splits, block_rows=7):
    (folder / "examples").mkdir()
    (folder / "out").mkdir()
    examples = write_examples(folder / "examples", splits, CLASSES, block_rows)
    return analyze.run(examples, BeamOptions(), folder / "out").duplicates


def compared(splits):
    """The groups of equal images, by comparing their bytes."""
    places = defaultdict(list)
    for split, (images, labels) in splits.items():
        for row, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
            places[image.tobytes()].append(Place(split == "test", row, label))
    return [sorted(group) for group in places.values() if len(group) > 1]


@st.composite
def splits_with_equal_images(draw):
    """Images of two pixels with three values, so that many are equal."""
    splits = {}
    for split in ("train", "test"):
        rows = draw(st.integers(1, 25))
        pixels = draw(st.lists(st.integers(0, 2), min_size=2 * rows, max_size=2 * rows))
        labels = draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows))
        splits[split] = np.array(pixels, np.uint8).reshape(rows, 1, 2, 1), np.array(labels)
    return splits


@given(splits_with_equal_images(), st.integers(1, 9), st.integers(1, 5))
def test_hashes_in_ranges_find_what_comparing_all_bytes_finds(splits, block_rows, count):
    with tempfile.TemporaryDirectory() as folder:
        examples = write_examples(Path(folder), splits, CLASSES, block_rows)
        blocks = analyze.place_blocks(examples)
        for placed in blocks:
            analyze.count_block(placed, examples, Path(folder), count)
        found = total(find_duplicates(number, count, Path(folder), blocks) for number in range(count))
    groups = compared(splits)
    assert found.leaked == sum(
        sum(place.test for place in group) for group in groups if not all(place.test for place in group)
    )
    assert found.contradicting == sum(len({place.label for place in group}) > 1 for group in groups)
    for split in ("train", "test"):
        in_split = [[place for place in group if place.split == split] for group in groups]
        assert found.repeated[split] == sum(len(group) - len({place.label for place in group}) for group in in_split)
    contradicting = [group for group in sorted(groups) if len({place.label for place in group}) > 1]
    assert sorted(group.rows for group in found.contradicting_groups) == sorted(map(len, contradicting))
    assert {place for group in found.leaked_groups for place in group.places} <= {
        place for group in groups for place in group
    }


def test_pairs_leaks_and_contradictions_are_named_to_the_row(tmp_path):
    random = np.random.default_rng(3)
    images = random.integers(0, 256, (1500, 6, 6, 3), dtype=np.uint8)
    train, test = images[:1000], images[1000:]
    labels = {"train": random.integers(0, 3, 1000), "test": random.integers(0, 3, 500)}
    rows = random.permutation(1000)
    pairs, doubted, leaked = rows[:74].reshape(37, 2), rows[74:84].reshape(5, 2), rows[84:95]
    for one, other in pairs:
        train[other], labels["train"][other] = train[one], labels["train"][one]
    for one, other in doubted:
        train[other], labels["train"][other] = train[one], (labels["train"][one] + 1) % 3
    tested = random.permutation(500)[:11]
    test[tested], labels["test"][tested] = train[leaked], labels["train"][leaked]

    found = found_in(tmp_path, {"train": (train, labels["train"]), "test": (test, labels["test"])}, block_rows=90)

    def named(groups):
        return {tuple((place.split, place.row) for place in group.places) for group in groups}

    assert (found.repeated, found.leaked, found.contradicting) == ({"test": 0, "train": 37}, 11, 5)
    assert named(found.repeated_groups) == {tuple(("train", int(row)) for row in sorted(pair)) for pair in pairs}
    assert named(found.contradicting_groups) == {tuple(("train", int(row)) for row in sorted(pair)) for pair in doubted}
    assert named(found.leaked_groups) == {
        (("train", int(row)), ("test", int(other))) for row, other in zip(leaked, tested, strict=True)
    }


def test_more_than_can_be_named_are_counted_and_the_first_are_named():
    groups = [[Place(False, 2 * row, 0), Place(False, 2 * row + 1, 0)] for row in range(NAMED_IMAGES + 5)]
    found = summarize(reversed(groups))
    assert found.repeated["train"] == NAMED_IMAGES + 5
    assert found.repeated_groups == tuple(Group(tuple(group), 2) for group in groups[:NAMED_IMAGES])


def test_image_at_many_places_is_named_with_a_place_of_each_split_and_label():
    places = [Place(False, row, 0) for row in range(50)] + [Place(False, 50, 2), Place(True, 3, 0)]
    found = summarize([places])
    (group,) = found.leaked_groups
    assert group.rows == 52
    assert len(group.places) == NAMED_PLACES
    assert {Place(False, 0, 0), Place(False, 50, 2), Place(True, 3, 0)} < set(group.places)
    assert list(group.places) == sorted(group.places)


def test_hashes_are_cut_into_ranges_that_fit_in_memory(monkeypatch, tmp_path):
    monkeypatch.setattr(components.duplicates, "RANGE_ROWS", 10)
    assert (len(ranges(0)), len(ranges(10)), len(ranges(31))) == (1, 1, 4)
    images = np.arange(40, dtype=np.uint8).reshape(40, 1, 1, 1) % 30
    splits = {"train": (images, np.zeros(40, np.int64)), "test": (images[:1] + 200, np.zeros(1, np.int64))}
    assert found_in(tmp_path, splits).repeated == {"test": 0, "train": 10}


@pytest.mark.parametrize("shape", [(5,), (8, 8, 1), (3, 3, 3), (1, 1, 1)])
def test_hash_differs_with_each_bit(shape):
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    bits = np.unpackbits(image)
    changed = np.repeat(bits[None], len(bits) + 1, axis=0)
    changed[range(len(bits)), range(len(bits))] ^= 1
    images = np.packbits(changed, axis=1).reshape(-1, *shape)
    hashes = content_hashes(images)
    assert hashes.shape == (len(bits) + 1, 2)
    # Also the upper halves alone, on which the promise rests, and however the rows are cut.
    assert len(np.unique(hashes >> np.uint64(32), axis=0)) == len(bits) + 1
    assert np.array_equal(content_hashes(images[2:5]), hashes[2:5])


def test_images_that_differ_in_the_upper_bits_of_two_words_have_different_hashes():
    # A sum without the upper half of its numbers would be equal for many of these.
    values = np.arange(0, 256, 8)
    images = np.zeros((len(values) ** 2, 8), np.uint8)
    images[:, 3], images[:, 7] = np.repeat(values, len(values)), np.tile(values, len(values))
    assert len(np.unique(content_hashes(images) >> np.uint64(32), axis=0)) == len(images)


def test_hashes_of_other_types_are_of_their_bits():
    images = np.array([[0.0], [1.0], [np.nan], [np.nan], [1.0]], np.float32)
    first = content_hashes(images)[:, 0]
    assert (first[1], first[2]) == (first[4], first[3])
    assert len(set(first.tolist())) == 3
