"""A record -> the features of its tf.Example, parsed by protobuf alone: TensorFlow takes seconds to start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.protobuf.message import Message

# The lists that a feature can have, by their field numbers from 1 on: a feature holds one of them.
LISTS = {"bytes_list": "TYPE_BYTES", "float_list": "TYPE_FLOAT", "int64_list": "TYPE_INT64"}
PACKAGE = "beamline"


class NotAnExampleError(ValueError):
    """A record that cannot be parsed as tf.Example."""


def features_of(record: bytes) -> Mapping[str, Any]:
    """The features by name; each is a message `Feature` as TensorFlow declares it. Raises: NotAnExampleError."""
    from google.protobuf.message import DecodeError

    try:
        features: Mapping[str, Any] = _example_type().FromString(record).features.feature
    except DecodeError as error:
        raise NotAnExampleError(str(error)) from error
    return features


def only_value(feature: Any) -> bytes | int | float | None:
    """The only value of a feature; None if it has none or several."""
    kind = feature.WhichOneof("kind")
    values: Sequence[bytes | int | float] = getattr(feature, kind).value if kind else ()
    return values[0] if len(values) == 1 else None


@cache
def _example_type() -> type[Message]:
    """The message tf.Example, declared here under a package of its own: TensorFlow may declare its own too."""
    from google.protobuf import descriptor_pool, message_factory
    from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    file = FileDescriptorProto(name="beamline/example.proto", package=PACKAGE, syntax="proto3")
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, (name, kind) in enumerate(LISTS.items(), start=1):
        values = file.message_type.add(name=f"Values{number}")
        values.field.add(name="value", number=1, type=Field.Type.Value(kind), label=Field.LABEL_REPEATED)
        feature.field.add(name=name, number=number, type_name=_name(values.name), oneof_index=0, **_one_message())
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=Field.TYPE_STRING, label=Field.LABEL_OPTIONAL)
    entry.field.add(name="value", number=2, type_name=_name("Feature"), **_one_message())
    features.field.add(
        name="feature",
        number=1,
        type=Field.TYPE_MESSAGE,
        label=Field.LABEL_REPEATED,
        type_name=_name("Features.FeatureEntry"),
    )
    file.message_type.add(name="Example").field.add(
        name="features", number=1, type_name=_name("Features"), **_one_message()
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found: type[Message] = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.Example"))
    return found


def _one_message() -> dict[str, Any]:
    from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

    return {"type": Field.TYPE_MESSAGE, "label": Field.LABEL_OPTIONAL}


def _name(message: str) -> str:
    return f".{PACKAGE}.{message}"
