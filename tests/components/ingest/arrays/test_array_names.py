"""array_names: content and split are found in any case, order and spelling; other words never change them."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from components.ingest.arrays.array_names import AmbiguousNameError, ArrayName, match_name, own_split

SPLITS = {"train": "train", "training": "train", "test": "test", "t10k": "test", "val": "validation"}
SPLITS |= {"valid": "validation", "validation": "validation"}
CONTENTS = {"x": "images", "images": "images", "image": "images", "imgs": "images", "data": "images"}
CONTENTS |= {"features": "images", "y": "labels", "labels": "labels", "label": "labels", "target": "labels"}
FORMATS = ["", "-idx3-ubyte", "-idx1-ubyte.gz", ".idx", ".npy", "_32x32.mat", "-uint8"]
cases = st.sampled_from([str.lower, str.upper, str.title])
other_names = st.sampled_from(["", "emnist", "letters", "花", "shapes2", "more"])


@given(
    st.sampled_from(sorted(SPLITS)),
    st.sampled_from(sorted(CONTENTS)),
    st.booleans(),
    st.sampled_from(["_", "-", ".", " ", ""]),
    cases,
    cases,
    other_names,
    st.booleans(),
    st.sampled_from(FORMATS),
)
def test_any_spelling_has_the_same_meaning(split, content, flipped, between, one, other, word, first, suffix):
    pair = [one(split), other(content)]
    name = between.join(reversed(pair) if flipped else pair)
    name = "_".join(filter(None, [word, name] if first else [name, word])) + suffix
    found = match_name(name)
    assert found == ArrayName(CONTENTS[content], SPLITS[split], word, content in ("x", "y"))


@given(st.sampled_from(sorted(CONTENTS)), cases, other_names)
def test_names_without_a_split_keep_their_other_names(content, case, word):
    found = match_name("_".join(filter(None, [case(content), word])))
    assert found[:3] == (CONTENTS[content], None, word)
    assert own_split(found) == (word or "train")


@given(st.text(max_size=12))
def test_tokens_of_no_meaning_are_no_content(text):
    known = {*SPLITS, *CONTENTS, "img", "pixels", "lbl", "lbls", "targets", "feature", "te", "tr"}
    assume(not any(word in text.lower() for word in known))
    assert match_name(text)[:2] == (None, None)


@pytest.mark.parametrize("name", ["images_labels", "x_y", "train_test_x", "val_train_labels", "label_image"])
def test_names_of_two_meanings_are_ambiguous(name):
    with pytest.raises(AmbiguousNameError, match=" and "):
        match_name(name)


def test_the_array_counts_before_its_file():
    assert match_name("x_train", "train_test.npz") == ArrayName("images", "train", "", True)
    assert match_name("X", "test_32x32.mat") == ArrayName("images", "test", "", True)
    assert match_name("y", "flowers-val.npz") == ArrayName("labels", "validation", "flowers", True)
    with pytest.raises(AmbiguousNameError):
        match_name("images", "train_test.npz")


@pytest.mark.parametrize("name", ["class_names", "label_names", "target_names", "Class-Names", "label_name"])
def test_names_of_classes_are_found(name):
    assert match_name(name).content == "class names"


def test_tokens_of_a_split_of_its_own_are_kept_as_they_are():
    assert own_split(match_name("x_More")) == "More"
    assert own_split(match_name("y_a-b.c")) == "a-b.c"
    assert own_split(match_name("x_train_2")) == "train_2"
