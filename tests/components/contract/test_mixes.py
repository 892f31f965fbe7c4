"""mixes: another mix of classes or pixels, another shape, other classes are told from what they were held against."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components.artifacts.reference import Reference
from components.contract.chance import distance
from components.contract.mixes import find_drift, find_skew

NAMES = ("cat", "dog", "emu")


def like(*label_counts, means=(60,), names=NAMES, shape=None):
    """So many rows of each class; in each channel the pixels lie around a mean."""
    rows = sum(label_counts)
    pixels = tuple(tuple(np.bincount([mean - 20, mean + 20], minlength=256) * 2 * rows) for mean in means)
    plain = tuple(tuple(map(int, channel)) for channel in pixels)
    return Reference("by-hand", shape or (2, 2, len(means)), names, rows, label_counts, plain)


def messages(now, before, limit=0.1):
    return [anomaly.message for anomaly in find_drift("drift", now, before, limit)]


def test_the_same_is_no_drift():
    assert messages(like(100, 100, 100), like(1000, 1000, 1000)) == []


def test_other_label_mix_names_the_class_that_moved_most():
    now, before = like(500, 300, 200), like(100, 400, 500)
    js, chance = distance(now.label_counts, before.label_counts, (1000, 1000))
    assert messages(now, before) == [
        f"the label mix is {js:.3f} bits (Jensen-Shannon) from the champion's, more than --validate.max-drift 0.1 and "
        f"{chance:.3f} for chance allow: class 0 (cat) has 50.0 % against 10.0 %"
    ]


def test_class_that_moved_most_may_be_one_that_nearly_went():
    (message,) = messages(like(100, 450, 450), like(600, 200, 200))
    assert message.endswith("class 0 (cat) has 10.0 % against 60.0 %")


def test_limit_is_beyond_chance():
    now, before = like(500, 300, 200), like(100, 400, 500)
    js, chance = distance(now.label_counts, before.label_counts, (1000, 1000))
    assert chance > 0
    assert len(messages(now, before, js - chance - 1e-9)) == 1
    assert messages(now, before, js - chance + 1e-9) == []


def test_other_pixels_name_the_channel_and_its_means():
    (message,) = messages(
        like(300, 300, means=(60, 90, 200), names=NAMES[:2]), like(300, 300, means=(60, 160, 190), names=NAMES[:2])
    )
    assert message.startswith("the mix of pixel values of channel 1 is 0.99")
    assert message.endswith("allow: their mean is 90.0 against 160.0")


def test_grey_images_have_no_channels_to_name():
    (message,) = messages(like(900, means=(60,), names=NAMES[:1]), like(900, means=(160,), names=NAMES[:1]))
    assert message.startswith("the mix of pixel values is 0.99")


def test_pixels_are_compared_by_brightness_and_not_by_single_values():
    assert messages(like(900, means=(68,), names=NAMES[:1]), like(900, means=(69,), names=NAMES[:1])) == []


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("cat", "emu", "dog"), "class 1 is emu, the champion's is dog"),
        (("cat", "dog"), "class 2 is not there, the champion's is emu"),
        ((*NAMES, "fox"), "class 3 is fox, the champion's is not there"),
    ],
)
def test_other_classes_are_told_once_and_their_mixes_not_compared(names, words):
    assert messages(like(*[900, 50, 50, 50][: len(names)], names=names), like(50, 50, 900)) == [words]


def test_other_shape_is_told_and_its_pixels_not_compared():
    now, before = like(300, means=(60,), names=NAMES[:1]), like(300, means=(200,), names=NAMES[:1], shape=(4, 4, 1))
    assert messages(now, before) == ["images have shape (2, 2, 1), the champion's have (4, 4, 1)"]


def test_what_was_not_counted_is_not_compared():
    dark = replace(like(900, 50), class_names=NAMES[:2], pixel_counts=((3000, *[0] * 254, 1),))
    nothing = replace(dark, pixel_counts=((0,) * 256,), label_counts=(0, 0))
    assert messages(nothing, dark) == messages(dark, nothing) == []


def test_schema_is_an_error_and_the_champion_a_warning():
    pair = (like(500, 300, 200), like(100, 400, 500))
    (drift,), (schema,) = (find_drift(rule, *pair, 0.1) for rule in ("drift", "schema"))
    assert (drift.rule, drift.split, drift.severity) == ("drift", "train", "warn")
    assert (schema.rule, schema.split, schema.severity) == ("schema", "train", "error")
    assert "from the schema's, more than --validate.max-drift" in schema.message


def test_skew_is_of_the_test_split():
    (skew,) = find_skew(like(500, 300, 200), like(10, 40, 150), 0.1)
    assert (skew.rule, skew.split, skew.severity) == ("skew", "test", "error")
    assert "from training's, more than --validate.max-skew 0.1" in skew.message
    assert skew.message.endswith("class 2 (emu) has 75.0 % against 20.0 %")


@pytest.mark.parametrize("rows", [50, 200, 1000])
def test_small_splits_of_one_population_are_not_skewed(rows):
    random = np.random.default_rng(3)
    names = tuple(map(str, range(10)))
    for _ in range(300):
        train, test = (random.multinomial(size, [0.1] * 10).tolist() for size in (4 * rows, rows))
        assert list(find_skew(like(*train, names=names), like(*test, names=names), 0.1)) == []
