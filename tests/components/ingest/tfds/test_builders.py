"""builders: a user's own builder is found by its module."""

from __future__ import annotations

import sys

import pytest

from components.beam import BeamOptions
from components.ingest import ingest
from components.ingest.ingest import source_of
from components.run_context import RunContext
from serving.errors import InputError

MODULE = """
import numpy as np
import tensorflow_datasets as tfds


class {name}(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    VERSION = tfds.core.Version("{version}")

    def _info(self):
        features = tfds.features.FeaturesDict(
            {{"image": tfds.features.Image(shape=(4, 4, 1)), "label": tfds.features.ClassLabel(names=["off", "on"])}}
        )
        return self.dataset_info_from_configs(features=features, supervised_keys=("image", "label"))

    def _split_generators(self, dl_manager):
        return {{"train": self._generate_examples(40), "test": self._generate_examples(10)}}

    def _generate_examples(self, rows):
        for row in range(rows):
            yield row, {{"image": np.full((4, 4, 1), row, np.uint8), "label": row % 2}}
"""


@pytest.fixture
def user_module(tmp_path, monkeypatch):
    """Writes a user's module with a builder, and removes it from sys.modules afterwards."""
    package = tmp_path / "project" / "own_sets"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path / "project")

    def write(text, module="lamps"):
        for known in [name for name in sys.modules if name.startswith("own_sets")]:
            monkeypatch.delitem(sys.modules, known)
        (package / f"{module}.py").write_text(text)

    yield write
    for known in [name for name in sys.modules if name.startswith("own_sets")]:
        sys.modules.pop(known)


@pytest.mark.parametrize("dataset", ["own_sets.lamps", "own_sets.lamps.Lamps", "own_sets.lamps:1.0.0"])
def test_users_builder_is_found_by_its_module(user_module, tmp_path, dataset):
    user_module(MODULE.format(name="Lamps", version="1.0.0"))
    source = source_of(ingest.Params(dataset=dataset), RunContext(data_dir=tmp_path / "tfds"))
    assert source.model == "lamps"
    assert source.fingerprint() is None
    source.prepare()
    assert list(source.fingerprint()) == ["lamps/1.0.0"]
    (tmp_path / "out").mkdir()
    examples = ingest.run(
        ingest.Params(dataset=dataset), RunContext(data_dir=tmp_path / "tfds"), BeamOptions(), tmp_path / "out"
    )
    assert (examples.dataset, examples.class_names) == ("lamps", ("off", "on"))
    assert (examples.rows("train"), examples.rows("test")) == (40, 10)


def test_users_builder_is_found_in_the_working_folder(user_module, tmp_path, monkeypatch):
    user_module(MODULE.format(name="Lamps", version="1.0.0"))
    folder = tmp_path / "project"
    # As in a console script.
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", str(folder))])
    monkeypatch.chdir(folder)
    source = source_of(ingest.Params(dataset="own_sets.lamps"), RunContext(data_dir=tmp_path / "tfds"))
    assert [source.model, source.model] == ["lamps", "lamps"]
    assert sys.path.index(str(folder)) == len(sys.path) - 1
    assert sys.path.count(str(folder)) == 1


@pytest.mark.parametrize("dataset", ["own_sets.lamps/two", "own_sets.lamps"])
def test_users_builder_with_versions_in_its_configurations_is_found(user_module, tmp_path, dataset):
    text = MODULE.format(name="Lamps", version="1.0.0")
    configs = ", ".join(
        f'tfds.core.BuilderConfig(name="{name}", version="{v}.0.0")' for name, v in (("two", 2), ("six", 6))
    )
    user_module(
        text.replace('VERSION = tfds.core.Version("1.0.0")', f"VERSION = None\n    BUILDER_CONFIGS = [{configs}]")
    )
    source = source_of(ingest.Params(dataset=dataset), RunContext(data_dir=tmp_path / "tfds"))
    source.prepare()
    assert list(source.fingerprint()) == ["lamps/two/2.0.0"]


def test_new_version_of_a_users_builder_is_prepared_again(user_module, tmp_path):
    user_module(MODULE.format(name="Lamps", version="1.0.0"))
    source = source_of(ingest.Params(dataset="own_sets.lamps"), RunContext(data_dir=tmp_path / "tfds"))
    source.prepare()
    before = source.fingerprint()
    user_module(MODULE.format(name="Lamps", version="1.1.0").replace("row, np.uint8", "row + 1, np.uint8"))
    assert source.fingerprint() is None
    source.prepare()
    assert source.fingerprint() != before


@pytest.mark.parametrize(
    ("dataset", "text", "message"),
    [
        ("own_sets.absent", "", "own_sets.absent must name exactly one TFDS builder, it names none"),
        ("nowhere.lamps", "", "nowhere.lamps cannot be imported"),
        ("own_sets.lamps", "raise RuntimeError('not today')", "cannot be imported (RuntimeError: not today)"),
        ("own_sets.lamps", "x = 1", "must name exactly one TFDS builder, it names none"),
        ("own_sets.lamps:9.9.9", MODULE.format(name="Lamps", version="1.0.0"), "there is no such data set"),
    ],
)
def test_module_without_a_builder_is_refused_with_the_reason(user_module, tmp_path, dataset, text, message):
    user_module(text)
    with pytest.raises(InputError) as caught:
        source_of(ingest.Params(dataset=dataset), RunContext(data_dir=tmp_path / "tfds")).prepare()
    assert message in str(caught.value)
