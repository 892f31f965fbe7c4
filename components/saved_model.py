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
    module.weights = [variable.value for variable in network.variables]
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
        functions = sorted(library.function, key=lambda function: function.signature.name)
        del library.function[:]
        library.function.extend(functions)


def _rename(graph: Message, functions: list[str]) -> None:
    """Replaces the process's number in each name by its rank among the names that differ in the number alone."""
    new_names: dict[str, str] = {}
    for old in sorted(functions, key=lambda name: (_stem(name), _number(name))):
        rank = sum(_stem(other) == _stem(old) for other in new_names)
        new_names[old] = f"{_stem(old)}_{rank}"
    _replace_strings(graph, lambda text: new_names.get(text, text))


def _stem(name: str) -> str:
    found = NUMBERED.match(name)
    return found[1] if found else name


def _number(name: str) -> int:
    return int(name.rsplit("_", 1)[1]) if NUMBERED.match(name) else 0


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
    for key in list(entries):
        new_key = _replaced(key, replace)
        if holds_messages:
            _replace_strings(entries[key], replace)
            if new_key != key:
                entries[new_key].CopyFrom(entries[key])
                del entries[key]
        else:
            value = entries.pop(key)
            entries[new_key] = _replaced(value, replace)


def _replaced(value: Any, replace: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return replace(value)
    if isinstance(value, bytes) and value.startswith(b"__inference_"):
        return replace(value.decode()).encode()
    return value
