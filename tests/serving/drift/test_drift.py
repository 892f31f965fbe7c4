"""drift: counts add up in any grouping, and the comparison finds images unlike the training images."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from serving.bundle.bundle import load_bundle
from serving.bundle.manifest import write_manifest
from serving.codec import FormatError, from_json, to_json
from serving.drift.divergence import Divergence
from serving.drift.drift import Baseline, DriftCounts, Limits, sampled_rows
from serving.drift.features import DESCRIPTIONS
from serving.errors import BundleError

BINS = {"pixels": 32, "intensity": 3, "classes": 4, "confidence": 2}


def limits(rows, psi, js=1.0):
    return Limits(rows, **{feature: Divergence(psi, js) for feature in BINS})


@pytest.fixture
def baseline():
    counts = DriftCounts(1000, **{feature: (1000 // bins,) * bins for feature, bins in BINS.items()})
    return Baseline((100, 200), (0.9,), counts, (limits(50, 0.4), limits(100, 0.2)))


def like(baseline, rows, **bins):
    """Counts with the fractions of the baseline, except those that are given."""
    shares = {feature: np.array(counts) / sum(counts) for feature, counts in baseline.counts.bins.items()}
    expected = {feature: tuple((rows * part).tolist()) for feature, part in shares.items()}
    return DriftCounts(rows, **(expected | bins))


any_counts = st.builds(
    DriftCounts,
    st.integers(0, 10**9),
    **{feature: st.tuples(*[st.integers(0, 10**12)] * bins) for feature, bins in BINS.items()},
)


@given(st.lists(any_counts, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_counts_add_up_the_same_in_any_order_and_grouping(parts, random):
    expected = {
        feature: tuple(sum(column) for column in zip(*(part.bins[feature] for part in parts), strict=True))
        for feature in BINS
    }
    pool = list(parts)
    while len(pool) > 1:
        random.shuffle(pool)
        pool.append(pool.pop() + pool.pop())
    assert pool[0] == DriftCounts(sum(part.rows for part in parts), **expected)


@given(any_counts)
def test_counts_are_read_back_from_one_line(counts):
    line = json.dumps(to_json(counts))
    assert "\n" not in line
    assert from_json(DriftCounts, json.loads(line), "line") == counts


@pytest.mark.parametrize("data", [{}, {"rows": 3}, {"rows": "x"}, {"rows": 3, **dict.fromkeys(BINS, 7)}])
def test_damaged_counts_are_refused(data):
    with pytest.raises(FormatError):
        from_json(DriftCounts, data, "line")


def test_counts_of_other_bins_are_not_added(baseline):
    with pytest.raises(ValueError, match="argument 2 is"):
        baseline.empty() + DriftCounts(1, **dict.fromkeys(BINS, (1,)))


def count_block(baseline, images, labels, confidences):
    """Counts a block as the scorer does."""
    rows = sampled_rows(len(images))
    return baseline.count(images[rows], labels[rows], confidences[rows])


def images_of(rows, seed=0):
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (rows, 3, 2, 2)).astype(np.uint8)
    return images, random.integers(0, 4, rows), random.random(rows).astype(np.float32)


def test_every_row_of_a_small_block_is_counted(baseline):
    images, labels, confidences = images_of(100)
    found = baseline.empty() + count_block(baseline, images, labels, confidences)
    assert found.rows == 100
    assert found.bins["classes"] == tuple(np.bincount(labels, minlength=4).tolist())
    assert found.bins["confidence"] == ((confidences < 0.9).sum(), (confidences >= 0.9).sum())
    channels = [np.histogram(images[..., channel], 16, (0, 256))[0] for channel in range(2)]
    assert found.bins["pixels"] == tuple(np.concatenate(channels).tolist())
    assert sum(found.bins["pixels"]) == images.size
    assert all(type(count) is int for counts in found.bins.values() for count in counts)


def test_empty_block_has_counts_of_0(baseline):
    assert count_block(baseline, *images_of(0)) == baseline.empty()
    assert baseline.empty().rows == 0
    assert not any(any(counts) for counts in baseline.empty().bins.values())


def test_same_128_rows_of_a_large_block_are_counted_each_time(baseline):
    images, labels, confidences = images_of(5000)
    found = count_block(baseline, images, labels, confidences)
    assert found.rows == 128
    # The rows are from the whole block: the first 128 would be of one class.
    labels = np.arange(5000) * 4 // 5000
    assert count_block(baseline, images, labels, confidences).bins["classes"] == (32, 32, 32, 32)
    assert count_block(baseline, images, labels, confidences) == count_block(
        baseline, images.copy(), labels, confidences
    )


def test_figures_are_equal_to_scipys(baseline):
    counts = DriftCounts(120, (40,) * 32, (90, 30, 0), (120, 0, 0, 0), (60, 60))
    drift = baseline.compare(counts)
    for feature, figure in drift.figures.items():
        expected, found = (
            (np.array(part.bins[feature]) + 0.5) / (sum(part.bins[feature]) + 0.5 * BINS[feature])
            for part in (baseline.counts, counts)
        )
        assert figure.found.psi == pytest.approx(entropy(expected, found) + entropy(found, expected), abs=1e-12)
        assert figure.found.js == pytest.approx(jensenshannon(expected, found, base=2) ** 2, abs=1e-12)
    assert drift.verdict == "drift"


def test_images_like_the_baseline_have_not_drifted(baseline):
    drift = baseline.compare(like(baseline, 640))
    assert (drift.verdict, drift.drifted, drift.rows) == ("none", False, 640)
    assert drift.figures.keys() == DESCRIPTIONS.keys()
    assert re.fullmatch(
        r"drift: none in 640 sampled images \(nearest to its limit: [a-z ]+, PSI 0\.000, limit 0\.200\)",
        drift.sentence,
    )


@pytest.mark.parametrize("feature", BINS)
def test_drift_of_a_single_feature_is_found_and_named(baseline, feature):
    elsewhere = (640, *(0,) * (BINS[feature] - 1))
    drift = baseline.compare(like(baseline, 640, **{feature: elsewhere}))
    assert drift.drifted
    assert drift.verdict == "drift"
    assert [name for name, figure in drift.figures.items() if figure.ratio > 1] == [feature]
    psi = drift.figures[feature].found.psi
    assert drift.sentence == (
        f"drift: {DESCRIPTIONS[feature]} is not that of the training images in 640 sampled ones "
        f"(PSI {psi:.3f}, limit 0.200)"
    )


def test_sentence_names_the_largest_ratio_first_and_then_the_others(baseline):
    drift = baseline.compare(like(baseline, 640, classes=(640, 0, 0, 0), intensity=(400, 200, 40)))
    assert drift.sentence.startswith("drift: the mix of predicted classes is not that")
    assert drift.sentence.endswith("limit 0.200; also intensity)")


def test_either_measure_alone_is_drift(baseline):
    counts = like(baseline, 640, classes=(170, 160, 160, 150))
    found = baseline.compare(counts).figures["classes"].found
    tight = replace(baseline, limits=(limits(50, psi=1.0, js=found.js / 2),))
    assert tight.compare(counts).drifted
    assert f"Jensen-Shannon {found.js:.3f}, limit {found.js / 2:.3f}" in tight.compare(counts).sentence
    assert not replace(baseline, limits=(limits(50, psi=1.0, js=found.js * 2),)).compare(counts).drifted


@pytest.mark.parametrize(("rows", "limit"), [(50, 0.4), (99, 0.4), (100, 0.2), (10**6, 0.2)])
def test_limits_of_the_largest_sample_that_is_not_larger_apply(baseline, rows, limit):
    figures = baseline.compare(like(baseline, rows)).figures
    assert {figure.limit.psi for figure in figures.values()} == {limit}


def test_too_few_images_have_no_verdict(baseline):
    drift = baseline.compare(like(baseline, 49, classes=(49, 0, 0, 0)))
    assert (drift.verdict, drift.drifted, drift.figures) == ("too few images to tell", False, {})
    assert drift.sentence == ("drift: too few images to tell (49 sampled, 50 needed)")
    none = replace(baseline, limits=()).compare(like(baseline, 640))
    assert not none.drifted
    assert "(640 sampled, the training images are too few)" in none.sentence


def test_sidecar_has_verdict_and_figures_with_their_limits(baseline):
    drift = baseline.compare(like(baseline, 640, classes=(640, 0, 0, 0)))
    described = json.loads(json.dumps(drift.to_json(), allow_nan=False))
    assert (described["verdict"], described["rows"]) == ("drift", 640)
    assert described["figures"]["classes"] == {
        "psi": round(drift.figures["classes"].found.psi, 6),
        "psi_limit": 0.2,
        "jensen_shannon": round(drift.figures["classes"].found.js, 6),
        "jensen_shannon_limit": 1.0,
    }
    assert described["figures"].keys() == BINS.keys()


def sealed_with(sealed, content):
    (sealed.path / "drift.json").write_text(content)
    (sealed.path / "manifest.json").unlink()
    write_manifest(sealed.path, sealed.manifest)
    return load_bundle(sealed.path)


def test_bundle_without_a_baseline_has_none(sealed):
    assert Baseline.load(sealed) is None


def test_baseline_is_read_back_from_its_bundle(sealed, baseline):
    assert Baseline.load(sealed_with(sealed, json.dumps(to_json(baseline)))) == baseline


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.pop("counts"),
        lambda data: data["counts"].pop("pixels"),
        lambda data: data.update(limits=[{"rows": 50}]),
        lambda data: data["limits"][0].update(classes=[0.1]),
        lambda data: data.update(intensity_cuts=None),
        lambda data: data.update(confidence_cuts=[0.1, 0.2]),
    ],
)
def test_damaged_baseline_is_refused_in_one_sentence(sealed, baseline, change):
    data = to_json(baseline)
    change(data)
    damaged = sealed_with(sealed, json.dumps(data))
    with pytest.raises(BundleError, match=r"refused: drift\.json is damaged \(.*\): promote the model again") as caught:
        Baseline.load(damaged)
    assert str(caught.value).startswith(f"bundle {sealed.path} ")


@pytest.mark.parametrize("content", ["", "[]", "7", '{"counts": 3}', "[" * 100_000, "\xff"])
def test_file_without_a_baseline_is_refused(sealed, content):
    with pytest.raises(BundleError, match=r"drift\.json is damaged"):
        Baseline.load(sealed_with(sealed, content))


def test_baseline_that_changed_after_loading_is_refused(sealed, baseline):
    loaded = sealed_with(sealed, json.dumps(to_json(baseline)))
    (sealed.path / "drift.json").write_text(json.dumps(to_json(baseline)).replace("0.4", "9.4"))
    with pytest.raises(BundleError, match=r"drift\.json was changed after the export"):
        Baseline.load(loaded)
