"""Model + Transform -> SavedModel: raw uint8 in, probabilities out, the same bytes for the same weights."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.artifacts.model import Model
from components.artifacts.preprocessing import Transform
from components.batches.normalized import normalize

if TYPE_CHECKING:
    import tensorflow as tf
    from google.protobuf.message import Message

# TensorFlow numbers traced functions over the life of the process.
NUMBERED = re.compile(r"(__inference_.+)_(\d+)")


def serving_module(model: Model, transform: Transform, image_shape: tuple[int, int, int]) -> tf.Module:
    """A module with the function to export, `serve`.

    It takes `images`, uint8 (n, h, w, c), 0 to 255, and returns `probabilities`, float32 (n, classes); each row sums
    to 1.
    """
    import tensorflow as tf

    network = model.keras_model()
    sums_to_one = network.layers[-1].activation.__name__ == "softmax"

    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        scores = network(normalize(transform, images), training=False)
        if not sums_to_one:
            scores = scores / tf.reduce_sum(scores, axis=-1, keepdims=True)
        return {"probabilities": scores}

    module = tf.Module(name="classifier")
    # The weights only: the random state of a dropout layer differs in each process, and is not needed.
    module.weights = [variable.value for variable in network.weights]
    module.serve = tf.function(
        serve, autograph=False, input_signature=[tf.TensorSpec((None, *image_shape), tf.uint8, name="images")]
    )
    return module


def write_saved_model(module: tf.Module, folder: Path) -> None:
    """Saves a module as a SavedModel with the signature `serving_default`.

    fingerprint.pb is removed, because it is a random number. Functions are named by their order, so that the names do
    not depend on the process.
    """
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})
    (folder / "fingerprint.pb").unlink()
    assets, parts = folder / "assets", folder / "variables/variables_temp"
    if assets.is_dir():
        assets.rmdir()
    # TensorFlow reports no error if it cannot remove the parts from which it made the variables.
    if parts.is_dir():
        shutil.rmtree(parts)
    file = folder / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    canonicalize(saved)
    file.write_bytes(saved.SerializeToString(deterministic=True))


def canonicalize(saved: Any) -> None:
    """Renumbers the functions of a SavedModel in place, and sorts them by name."""
    for graph in saved.meta_graphs:
        library = graph.graph_def.library
        _rename(graph, [function.signature.name for function in library.function])
        for function in library.function:
            _drop_counted_argument_names(function)
        functions = sorted(library.function, key=lambda function: function.signature.name)
        del library.function[:]
        library.function.extend(functions)


def _rename(graph: Message, functions: list[str]) -> None:
    """Replaces the process's number in each name by its rank among the names that differ only in the number."""
    numbers: dict[str, list[int]] = {}
    for found in filter(None, map(NUMBERED.fullmatch, functions)):
        numbers.setdefault(found[1], []).append(int(found[2]))
    ranked = ((stem, rank, number) for stem, found in numbers.items() for rank, number in enumerate(sorted(found)))
    new_names = {f"{stem}_{number}": f"{stem}_{rank}" for stem, rank, number in ranked}
    _replace_strings(graph, lambda text: new_names.get(text, text))


def _drop_counted_argument_names(function: Any) -> None:
    # The name of an unnamed argument is a number of the process, too.
    for argument in function.arg_attr.values():
        if argument.attr["_user_specified_name"].s.isdigit():
            del argument.attr["_user_specified_name"]


def _replace_strings(message: Message, replace: Callable[[str], str]) -> None:
    """Applies `replace` to every string and byte string of a message, at any depth."""
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE and field.message_type.GetOptions().map_entry:
            _replace_in_map(value, field, replace)
        elif field.type == field.TYPE_MESSAGE:
            for item in value if field.is_repeated else [value]:
                _replace_strings(item, replace)
        elif field.type in (field.TYPE_STRING, field.TYPE_BYTES):
            if field.is_repeated:
                value[:] = [_replaced(item, replace) for item in value]
            else:
                setattr(message, field.name, _replaced(value, replace))


def _replace_in_map(entries: Any, field: Any, replace: Callable[[str], str]) -> None:
    holds_messages = field.message_type.fields_by_name["value"].type == field.TYPE_MESSAGE
    # Collected first: a new name may be the old name of a later entry.
    renamed = {}
    for key, value in entries.items():
        if holds_messages:
            _replace_strings(value, replace)
            copy = type(value)()
            copy.CopyFrom(value)
            renamed[_replaced(key, replace)] = copy
        else:
            renamed[_replaced(key, replace)] = _replaced(value, replace)
    entries.clear()
    for key, value in renamed.items():
        if holds_messages:
            entries[key].CopyFrom(value)
        else:
            entries[key] = value


def _replaced(value: Any, replace: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return replace(value)
    if isinstance(value, bytes) and value.startswith(b"__inference_"):
        return replace(value.decode()).encode()
    return value
