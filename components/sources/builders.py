"""A set's name -> TFDS's builder: one of TFDS's own, the embedded one, or one of the user's by its module."""

from __future__ import annotations

import difflib
import importlib
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.errors import InputError

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

# Its data lie in this package; every other set is one of TFDS's own, a user's, or prepared already.
EMBEDDED = "digits"
EMBEDDED_MODULE = "components.datasets.digits.digits_dataset_builder"


def name_of(dataset: str) -> str:
    """The builder's own name, for which a user's module is imported. Raises: InputError: there is no such builder."""
    path = dataset.split(":")[0].split("/")[0]
    return str(_builder_class(path).name) if "." in path else path


def version_of(dataset: str) -> str:
    """The version of a user's own builder, of which what was prepared by an older one is another set; else empty."""
    path, _, config = dataset.split(":")[0].partition("/")
    if "." not in path:
        return ""
    kind = _builder_class(path)
    own = [known.version for known in kind.BUILDER_CONFIGS if config in ("", known.name)]
    return str((own[0] if own else None) or kind.VERSION or "")


def find_builder(dataset: str, data_dir: Path) -> tfds.core.DatasetBuilder:
    """TFDS's builder.

    Args:
        dataset: `name`, `name/config`, `name:version`, `name/config:version`; name is TFDS's, or a module with dots.
        data_dir: where prepared sets stand.

    Raises:
        InputError: there is no such set.
    """
    import tensorflow_datasets as tfds

    path, _, version = dataset.partition(":")
    name, _, config = path.partition("/")
    module = EMBEDDED_MODULE if name == EMBEDDED else name
    try:
        if "." in module:
            return _builder_class(module)(data_dir=data_dir, config=config or None, version=version or None)
        builder = tfds.builder(dataset, data_dir=data_dir)
        if builder.name != name:
            # TFDS takes other spellings; the folder of prepared sets and the registry know one.
            raise ValueError(f"{dataset} is spelt {builder.name}")
        return builder
    except (tfds.core.DatasetNotFoundError, ValueError, AssertionError) as error:
        raise InputError(f"--dataset {dataset}: there is no such data set: {_hint(name, error)}") from error


def _hint(name: str, error: Exception) -> str:
    """What to give instead; where the name is right, the version or the configuration is not, which TFDS says."""
    import tensorflow_datasets as tfds

    known = tfds.list_builders()
    if name in (*known, EMBEDDED) or "." in name:
        said = " ".join(str(error).split())
        return f"give a version and a configuration that {name} has ({said[:300]})"
    near = difflib.get_close_matches(name.lower(), [EMBEDDED, *known], n=1)
    return f"did you mean {near[0]}?" if near else "give the name of a TensorFlow Datasets set"


def _builder_class(path: str) -> Any:
    """The one builder that a module defines, or the class that the last part of the path names."""
    import tensorflow_datasets as tfds

    module_name, _, class_name = path.rpartition(".")
    try:
        try:
            module = importlib.import_module(path)
            class_name = ""
        except ModuleNotFoundError as error:
            if error.name != path:
                raise
            module = importlib.import_module(module_name)
    except Exception as error:
        # A user's module may fail in any way.
        raise InputError(
            f"--dataset {path} cannot be imported ({type(error).__name__}: {error}): give the module of a TFDS "
            "builder, from a folder where Python finds it"
        ) from error
    found = [
        kind
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, tfds.core.DatasetBuilder)
        and kind.__module__ == module.__name__
        and not inspect.isabstract(kind)
        and class_name in ("", name)
    ]
    if len(found) != 1:
        names = ", ".join(kind.__name__ for kind in found) or "none"
        raise InputError(
            f"--dataset {path} names no single TFDS builder, but {names}: give the module of one, or module.Class"
        )
    return found[0]
