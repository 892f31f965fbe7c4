"""verify: each single fault of one exported format is refused, and the reason names the format."""

from __future__ import annotations

import pytest

from tests.components.verify.changed_bundles import seal_again
from tests.components.verify.faults import FAULTS, UnsuitableError
from tests.components.verify.faulty_files import FORMATS, faulty_module

# One of each kind: a weight, a bias, the preprocessing, the order of the classes, a function.
FEW = (
    "one weight of the first layer 1 % larger",
    "one bias of the last layer",
    "1/256 for 1/255",
    "two classes swapped",
    "softmax over the batch",
)


def exhaustive(name):
    return pytest.param(name, marks=pytest.mark.exhaustive)


@pytest.mark.parametrize("file", FORMATS)
@pytest.mark.parametrize("fault", [name if name in FEW else exhaustive(name) for name in FAULTS])
def test_fault_is_refused_by_the_name_of_its_file(made, verify_bundle, bundle_copy, tmp_path, fault, file):
    manifest = made.bundle.opened().manifest
    try:
        module = faulty_module(
            made.model, made.transform, made.examples.image_shape, FAULTS[fault], tmp_path / "faulty model"
        )
        FORMATS[file](module, bundle_copy, made.examples)
    except UnsuitableError:
        pytest.skip("the small model has no such place")
    refused = verify_bundle(seal_again(bundle_copy, manifest))
    assert not refused.passed
    assert any(file in reason for reason in refused.reasons)
    others = set(FORMATS) - {file}
    assert not any(reason.startswith(tuple(others)) for reason in refused.reasons)
