"""tf_example: the features are those that TensorFlow wrote."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.ingest.records.tf_example import NotAnExampleError, features_of, only_value

VALUES = {
    "bytes_list": st.binary(max_size=20),
    "int64_list": st.integers(-(1 << 63), (1 << 63) - 1),
    "float_list": st.floats(width=32, allow_nan=False),
}
FEATURES = st.one_of(*(st.tuples(st.just(kind), st.lists(values, max_size=3)) for kind, values in VALUES.items()))


@settings(max_examples=50)
@given(st.dictionaries(st.text(max_size=8), FEATURES, max_size=4))
def test_features_of_tensorflow_are_read(given_features):
    import tensorflow as tf

    example = tf.train.Example()
    for name, (kind, values) in given_features.items():
        getattr(example.features.feature[name], kind).value.extend(values)
    found = features_of(example.SerializeToString())
    assert sorted(found) == sorted(given_features)
    for name, (kind, values) in given_features.items():
        assert list(getattr(found[name], kind).value) == values
        # An empty list and no list are one thing here: neither is a value.
        assert only_value(found[name]) == (values[0] if len(values) == 1 else None)


def test_other_bytes_are_refused():
    with pytest.raises(NotAnExampleError):
        features_of(b"no example")
