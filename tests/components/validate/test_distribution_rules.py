"""distribution_rules: changed classes, shapes and distributions of labels and pixels are found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components.artifacts.schema import Schema
from components.validate.distribution_rules import check_drift, check_skew, distance

NAMES = ("cat", "dog", "emu")


def like(*label_counts, means=(60,), names=NAMES, shape=None):
    """Schema with the given rows of each class; in each channel the pixels lie around a mean."""
    rows = sum(label_counts)
    pixels = tuple(tuple(np.bincount([mean - 20, mean + 20], minlength=256) * 2 * rows) for mean in means)
    plain = tuple(tuple(map(int, channel)) for channel in pixels)
    return Schema("by-hand", shape or (2, 2, len(means)), names, rows, label_counts, plain)


def messages(now, baseline, limit=0.1):
    return [anomaly.message for anomaly in check_drift("drift", now, baseline, limit)]


def test_equal_distributions_are_not_drift():
    assert messages(like(100, 100, 100), like(1000, 1000, 1000)) == []


def test_changed_label_distribution_names_the_class_that_changed_most():
    now, before = like(500, 300, 200), like(100, 400, 500)
    js, noise = distance(now.label_counts, before.label_counts, (1000, 1000))
    assert messages(now, before) == [
        f"the label distribution is {js:.3f} bits (Jensen-Shannon) from the champion's, more than --validate.max-drift "
        f"0.1 plus {noise:.3f} for sampling noise: class 0 (cat) has 50.0 % against 10.0 %"
    ]


def test_class_that_changed_most_may_have_shrunk():
    (message,) = messages(like(100, 450, 450), like(600, 200, 200))
    assert message.endswith("class 0 (cat) has 10.0 % against 60.0 %")


def test_limit_is_added_to_sampling_noise():
    now, before = like(500, 300, 200), like(100, 400, 500)
    js, noise = distance(now.label_counts, before.label_counts, (1000, 1000))
    assert noise > 0
    assert len(messages(now, before, js - noise - 1e-9)) == 1
    assert messages(now, before, js - noise + 1e-9) == []


def test_changed_pixel_distribution_names_the_channel_and_its_means():
    (message,) = messages(
        like(300, 300, means=(60, 90, 200), names=NAMES[:2]), like(300, 300, means=(60, 160, 190), names=NAMES[:2])
    )
    assert message.startswith("the pixel distribution of channel 1 is 0.99")
    assert message.endswith("for sampling noise: the mean is 90.0, the champion's is 160.0")


def test_message_on_grey_images_names_no_channel():
    (message,) = messages(like(900, means=(60,), names=NAMES[:1]), like(900, means=(160,), names=NAMES[:1]))
    assert message.startswith("the pixel distribution is 0.99")


def test_pixels_are_compared_in_bins_of_brightness():
    assert messages(like(900, means=(68,), names=NAMES[:1]), like(900, means=(69,), names=NAMES[:1])) == []


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("cat", "emu", "dog"), "class 1 is emu, the champion's is dog"),
        (("cat", "dog"), "class 2 is missing, the champion's is emu"),
        ((*NAMES, "fox"), "class 3 is fox, the champion's is missing"),
    ],
)
def test_changed_classes_are_reported_once_and_their_distributions_not_compared(names, message):
    assert messages(like(*[900, 50, 50, 50][: len(names)], names=names), like(50, 50, 900)) == [message]


def test_changed_shape_is_reported_and_its_pixels_not_compared():
    now, before = like(300, means=(60,), names=NAMES[:1]), like(300, means=(200,), names=NAMES[:1], shape=(4, 4, 1))
    assert messages(now, before) == ["images have shape (2, 2, 1), the champion's have (4, 4, 1)"]


def test_split_without_counts_is_not_compared():
    dark = replace(like(900, 50, names=NAMES[:2]), pixel_counts=((3000, *[0] * 254, 1),))
    nothing = replace(dark, pixel_counts=((0,) * 256,), label_counts=(0, 0))
    assert messages(nothing, dark) == messages(dark, nothing) == []


def test_drift_from_a_schema_is_an_error_and_from_the_champion_a_warning():
    pair = (like(500, 300, 200), like(100, 400, 500))
    (drift,), (schema,) = (check_drift(rule, *pair, 0.1) for rule in ("drift", "schema"))
    assert (drift.rule, drift.split, drift.severity) == ("drift", "train", "warn")
    assert (schema.rule, schema.split, schema.severity) == ("schema", "train", "error")
    assert "from the schema's, more than --validate.max-drift" in schema.message


def test_skew_is_reported_for_the_test_split():
    (skew,) = check_skew(like(500, 300, 200), like(10, 40, 150), 0.1)
    assert (skew.rule, skew.split, skew.severity) == ("skew", "test", "error")
    assert "from training's, more than --validate.max-skew 0.1" in skew.message
    assert skew.message.endswith("class 2 (emu) has 75.0 % against 20.0 %")


@pytest.mark.parametrize("rows", [50, 200, 1000])
def test_small_samples_of_one_distribution_are_not_skewed(rows):
    random = np.random.default_rng(3)
    names = tuple(map(str, range(10)))
    for _ in range(300):
        train, test = (random.multinomial(size, [0.1] * 10).tolist() for size in (4 * rows, rows))
        assert list(check_skew(like(*train, names=names), like(*test, names=names), 0.1)) == []
