"""onnx_file: finds every tensor with external data, in all places where onnx.proto allows tensors."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from serving.bundle.onnx_file import DATA_LOCATION, EXTERNAL_DATA, TENSORS, external_files
from tests.serving.tiny_bundle import LABELS, SHAPE, network

MESSAGES = {
    "ModelProto": "model",
    "TrainingInfoProto": "training",
    "FunctionProto": "function",
    "GraphProto": "graph",
    "NodeProto": "node",
    "AttributeProto": "attribute",
    "SparseTensorProto": "sparse",
    "TensorProto": "tensor",
}


def leads_to_tensors(message, seen=()):
    if message.name == "TensorProto":
        return True
    return message.name not in seen and any(
        field.message_type is not None and leads_to_tensors(field.message_type, (*seen, message.name))
        for field in message.fields
    )


def test_field_numbers_are_those_of_onnx():
    found, waiting = {}, [onnx.ModelProto.DESCRIPTOR]
    while waiting:
        message = waiting.pop()
        name = MESSAGES[message.name]
        if name in found:
            continue
        inner = [f for f in message.fields if f.message_type is not None and leads_to_tensors(f.message_type)]
        inner = [] if name == "tensor" else inner
        found[name] = {field.number: MESSAGES[field.message_type.name] for field in inner}
        waiting += [field.message_type for field in inner]
    assert found == {kind: dict(fields) for kind, fields in TENSORS.items()}
    numbers = {field.name: field.number for field in onnx.TensorProto.DESCRIPTOR.fields}
    assert (numbers["external_data"], numbers["data_location"]) == (EXTERNAL_DATA, DATA_LOCATION)


def external(name="elsewhere.bin"):
    tensor = TensorProto(name="outside", data_type=TensorProto.FLOAT, dims=[2])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="offset", value="0")
    tensor.external_data.add(key="location", value=name)
    return tensor


def inside_an_attribute(tensor):
    return helper.make_node("Constant", [], ["value"], value=tensor)


def in_a_branch(tensor):
    branch = helper.make_graph([inside_an_attribute(tensor)], "branch", [], [])
    return helper.make_node("If", ["condition"], ["value"], then_branch=branch, else_branch=branch)


PLACES = {
    "initializer": lambda model, tensor: model.graph.initializer.append(tensor),
    "attribute": lambda model, tensor: model.graph.node.append(inside_an_attribute(tensor)),
    "branch": lambda model, tensor: model.graph.node.append(in_a_branch(tensor)),
    "sparse": lambda model, tensor: model.graph.sparse_initializer.add().values.CopyFrom(tensor),
    "function": lambda model, tensor: model.functions.add().node.append(inside_an_attribute(tensor)),
    "training": lambda model, tensor: model.training_info.add().initialization.initializer.append(tensor),
}


@pytest.mark.parametrize("place", PLACES)
def test_external_tensor_is_found_in_every_place(place):
    model = network(SHAPE, len(LABELS), 0)
    assert external_files(model.SerializeToString()) == []
    PLACES[place](model, external())
    assert set(external_files(model.SerializeToString())) == {"elsewhere.bin"}


def test_external_tensor_without_a_location_is_found():
    model = network(SHAPE, len(LABELS), 0)
    tensor = external()
    del tensor.external_data[:]
    model.graph.initializer.append(tensor)
    assert external_files(model.SerializeToString()) == ["a file without a name"]


def test_nested_graphs_are_read_to_any_depth():
    graph = helper.make_graph([], "innermost", [], [], [external()])
    for _ in range(25):
        graph = helper.make_graph([helper.make_node("Loop", [], [], body=graph)], "outer", [], [])
    assert external_files(helper.make_model(graph).SerializeToString()) == ["elsewhere.bin"]


# An unknown field of each wire type except text: 8 bytes, 4 bytes, a number.
@pytest.mark.parametrize("unknown", [b"\xa1\x06" + b"\n" * 8, b"\xa5\x06" + b"\n" * 4, b"\xa0\x06\x80\x01"])
def test_unknown_field_hides_nothing_after_it(unknown):
    graph = onnx.GraphProto(initializer=[external()]).SerializeToString()
    content = unknown + b"\x3a" + bytes([len(graph)]) + graph
    assert len(onnx.ModelProto.FromString(content).graph.initializer) == 1
    assert external_files(content) == ["elsewhere.bin"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (network(SHAPE, len(LABELS), 0).SerializeToString()[:-1], "is longer than the message around it"),
        (b"\xa3\x06\xa4\x06", "has wire type 3"),
        (b"\x08" + b"\x80" * 10 + b"\x00", "a varint is incomplete or longer than 10 bytes"),
        (b"\x08\x80", "a varint is incomplete or longer than 10 bytes"),
    ],
    ids=["cut off", "group", "number of 11 bytes", "number without an end"],
)
def test_malformed_message_is_refused(content, message):
    with pytest.raises(ValueError, match=message):
        external_files(content)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content):
    try:
        found = external_files(content)
    except ValueError:
        return
    assert isinstance(found, list)


@given(st.integers(0, 2_000), st.integers(0, 255))
def test_one_changed_byte_is_read_or_refused(place, value):
    content = bytearray(network(SHAPE, len(LABELS), 0).SerializeToString())
    content[place % len(content)] = value
    try:
        external_files(bytes(content))
    except ValueError:
        return


def test_location_that_is_not_utf8_is_found():
    tensor = numpy_helper.from_array(numpy_helper.to_array(helper.make_tensor("t", 1, [1], [0.0])), "t")
    raw = (
        tensor.SerializeToString()
        + bytes([0x70, 1])
        + bytes([0x6A, 13, 0x0A, 8])
        + b"location"
        + bytes([0x12, 1, 0xFF])
    )
    graph = bytes([0x2A, len(raw)]) + raw
    assert external_files(bytes([0x3A, len(graph)]) + graph) == ["�"]


def varint(number):
    content = bytearray()
    while number > 0x7F:
        content.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*content, number])


def field(number, content, lifted=False):
    tag = number << 3 | 2
    return varint(tag | 1 << 32 if lifted else tag) + varint(len(content)) + content


def test_field_number_that_onnxruntime_would_truncate_is_refused(tmp_path, monkeypatch):
    """onnxruntime reads only the lower 32 bits of a field's tag, and would read the external weights."""
    import onnxruntime

    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.bin").write_bytes(np.array([7.0, 7.0], np.float32).tobytes())
    plain = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2]).SerializeToString()
    location = field(1, b"location") + field(2, b"weights.bin")
    elsewhere = varint(14 << 3 | 1 << 32) + varint(TensorProto.EXTERNAL)
    tensor = plain + field(13, location, lifted=True) + elsewhere
    graph = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["y"])],
        "g",
        [],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    rest = model.SerializeToString() + field(7, field(5, tensor))
    (tmp_path / "model.onnx").write_bytes(rest)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    assert session.run(None, {})[0].tolist() == [7.0, 7.0]
    with pytest.raises(ValueError, match="number is too large"):
        external_files(rest)
