"""Model + Transform -> SavedModel: raw uint8 in, probabilities out, the same bytes for the same weights."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.artifacts.model import Model
from components.artifacts.transform import Transform

if TYPE_CHECKING:
    import tensorflow as tf
    from google.protobuf.message import Message

# TensorFlow numbers the functions that it traces over the life of the process.
NUMBERED = re.compile(r"^(__inference_.+)_\d+$")


def serving_module(model: Model, transform: Transform, image_shape: tuple[int, int, int]) -> tf.Module:
    """A module whose function `serve` is what is exported.

    It takes `images`, uint8 (n, h, w, c), 0 to 255, and gives `probabilities`, float32 (n, classes), each row
    summing to 1.
    """
    import tensorflow as tf

    network = model.keras_model()
    sums_to_one = network.layers[-1].activation.__name__ == "softmax"

    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        scores = network(transform.normalize(images), training=False)
        if not sums_to_one:
            scores = scores / tf.reduce_sum(scores, axis=-1, keepdims=True)
        return {"probabilities": scores}

    module = tf.Module(name="classifier")
    # Not all of its variables: a dropout layer's random state is another in each process, and serves nothing.
    module.weights = [variable.value for variable in network.weights]
    module.serve = tf.function(serve, input_signature=[tf.TensorSpec((None, *image_shape), tf.uint8, name="images")])
    return module


def write_saved_model(module: tf.Module, folder: Path) -> None:
    """Saves a module as a SavedModel with the signature `serving_default`.

    Left out is fingerprint.pb, which is a random number; functions are named by their order, not by how
    many others the process traced before.
    """
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})
    (folder / "fingerprint.pb").unlink()
    assets = folder / "assets"
    if assets.is_dir():
        assets.rmdir()
    file = folder / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    canonicalize(saved)
    file.write_bytes(saved.SerializeToString(deterministic=True))


def canonicalize(saved: Any) -> None:
    """Numbers the functions of a SavedModel anew, in place, and puts them in the order of their names."""
    for graph in saved.meta_graphs:
        library = graph.graph_def.library
        _rename(graph, [function.signature.name for function in library.function])
        for function in library.function:
            _drop_counted_argument_names(function)
        functions = sorted(library.function, key=lambda function: function.signature.name)
        del library.function[:]
        library.function.extend(functions)


def _rename(graph: Message, functions: list[str]) -> None:
    """Replaces the process's number in each name by its rank among the names that differ in the number alone."""
    new_names: dict[str, str] = {}
    numbered = [name for name in functions if NUMBERED.match(name)]
    for old in sorted(numbered, key=lambda name: (_stem(name), _number(name))):
        rank = sum(_stem(other) == _stem(old) for other in new_names)
        new_names[old] = f"{_stem(old)}_{rank}"
    _replace_strings(graph, lambda text: new_names.get(text, text))


def _drop_counted_argument_names(function: Any) -> None:
    # An argument that nobody named is called by a number that TensorFlow counts up, too.
    for argument in function.arg_attr.values():
        if argument.attr["_user_specified_name"].s.isdigit():
            del argument.attr["_user_specified_name"]


def _stem(name: str) -> str:
    return name.rsplit("_", 1)[0]


def _number(name: str) -> int:
    return int(name.rsplit("_", 1)[1])


def _replace_strings(message: Message, replace: Callable[[str], str]) -> None:
    """Puts every string and byte string of a message, at any depth, through `replace`."""
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
    # Aside first: a new name may be the old name of an entry that is yet to come.
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
