"""ONNX bytes -> the external files that onnxruntime would read; needs neither onnxruntime nor onnx.

An ONNX file is a protobuf message: a sequence of fields, each with its number and its wire type; text, bytes and
messages have a length too. Weights are tensors, and a tensor may name an external file for its values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

# The fields of onnx.proto that lead to tensors, by message and field number; attributes of nodes can hold graphs.
TENSORS: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
EXTERNAL_DATA, DATA_LOCATION = 13, 14
VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5


def external_files(model: bytes) -> list[str]:
    """The external files of the model's tensors, as the model names them; empty if it has all values itself.

    Raises: ValueError: the bytes are not an ONNX model.
    """
    found: list[str] = []
    # A list, not a recursion: a file can nest its messages to any depth.
    waiting = [("model", memoryview(model))]
    while waiting:
        kind, message = waiting.pop()
        elsewhere, names = False, []
        for number, value in _fields(message):
            inner = TENSORS[kind].get(number)
            if isinstance(value, memoryview):
                if inner is not None:
                    waiting.append((inner, value))
                elif (kind, number) == ("tensor", EXTERNAL_DATA):
                    names += _location(value)
            elif (kind, number) == ("tensor", DATA_LOCATION):
                elsewhere = value != 0
        found += names or (["a file without a name"] if elsewhere else [])
    return found


def _location(entry: memoryview) -> list[str]:
    """The value of a key-value entry whose key is `location`."""
    texts = {number: bytes(value) for number, value in _fields(entry) if isinstance(value, memoryview)}
    return [texts.get(2, b"").decode(errors="replace")] if texts.get(1) == b"location" else []


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        if tag > 0xFFFF_FFFF:
            # onnxruntime ignores the upper bits, and would read another field.
            raise ValueError("a field's number is too large")
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == LENGTH:
            length, at = _varint(message, at)
        elif wire in (EIGHT_BYTES, FOUR_BYTES):
            length = 8 if wire == EIGHT_BYTES else 4
        else:
            raise ValueError(f"field {number} has wire type {wire}, which ONNX does not use")
        if at + length > len(message):
            raise ValueError(f"field {number} is longer than the message around it")
        yield number, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a varint is incomplete or longer than 10 bytes")
