"""A set's name -> TFDS's builder: a builder of TFDS, the embedded one, or a user's builder by its module."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.ingest.dataset_reference import HUB_ADVICE
from serving.errors import InputError
from serving.suggestions import nearest

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

# The only set whose data are in this package.
EMBEDDED = "digits"
EMBEDDED_MODULE = "components.datasets.digits.digits_dataset_builder"


def name_of(dataset: str) -> str:
    """The builder's name; a user's module is imported for it. Raises: InputError: there is no such builder."""
    path = dataset.split(":")[0].split("/")[0]
    return str(_builder_class(path).name) if "." in path else path


def version_of(dataset: str) -> str:
    """The current version of a user's builder, because sets of older versions are other sets; else empty."""
    path, _, config = dataset.split(":")[0].partition("/")
    if "." not in path:
        return ""
    kind = _builder_class(path)
    own = [known.version for known in kind.BUILDER_CONFIGS if config in ("", known.name)]
    return str((own[0] if own else None) or kind.VERSION or "")


def find_builder(dataset: str, data_dir: Path) -> tfds.core.DatasetBuilder:
    """TFDS's builder.

    Args:
        dataset: `name`, `name/config`, `name:version`, `name/config:version`; the name is TFDS's, or a dotted module.
        data_dir: the folder of prepared sets.

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
            # TFDS accepts other spellings. The folder of prepared sets and the registry use only this one.
            raise ValueError(f"{dataset} is spelt {builder.name}")
        return builder
    except (tfds.core.DatasetNotFoundError, ValueError, AssertionError) as error:
        raise InputError(f"--dataset {dataset}: there is no such data set: {_advice(dataset, name, error)}") from error


def _advice(dataset: str, name: str, error: Exception) -> str:
    """What to give instead. If the name exists, TFDS's message says what is wrong with version or configuration."""
    import tensorflow_datasets as tfds

    known = tfds.list_builders()
    if name in (*known, EMBEDDED) or "." in name:
        message = " ".join(str(error).split())
        return f"give a version and a configuration that {name} has ({message[:300]})"
    if "/" in dataset:
        return f"if it is an owner and a name, {HUB_ADVICE}"
    near = nearest(name.lower(), [EMBEDDED, *known])
    return f"did you mean {near}?" if near else "give the name of a TensorFlow Datasets set"


def _builder_class(path: str) -> Any:
    """The only builder in a module, or the class that the last part of the path names. Raises: InputError."""
    import tensorflow_datasets as tfds

    module_name, _, class_name = path.rpartition(".")
    # Last, as a console script and `python -P` leave it out, and the folder may have any other modules.
    if not {"", os.getcwd()} & set(sys.path):
        sys.path.append(os.getcwd())
    try:
        try:
            module = importlib.import_module(path)
            class_name = ""
        except ModuleNotFoundError as error:
            if error.name != path:
                raise
            module = importlib.import_module(module_name)
    except Exception as error:
        # A user's module can raise any exception.
        raise InputError(
            f"--dataset {path} cannot be imported ({type(error).__name__}: {error}): give the module of a TFDS "
            "builder, from a folder in which Python finds it"
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
            f"--dataset {path} must name exactly one TFDS builder, it names {names}: give MODULE or MODULE.CLASS"
        )
    return found[0]


def full_name(builder: tfds.core.DatasetBuilder) -> str:
    """The name of a builder and of its configuration: `emnist/letters`."""
    config = builder.builder_config
    return str(builder.name) if config is None else f"{builder.name}/{config.name}"
