"""ONNX bytes -> the other files that they would have onnxruntime read; without onnxruntime, and without onnx.

An ONNX file is a protobuf message: a row of fields, each with its number, its kind and, where it is a text, some bytes
or a message, its length. Weights are its tensors, and a tensor may say that its values lie in another file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

# Where tensors are, by message and the number of its field, in onnx.proto: graphs may lie in attributes of nodes.
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
    """The files, as the model names them, that hold values of its tensors; none where it holds all its own.

    Raises:
        ValueError: these bytes are no ONNX model.
    """
    found: list[str] = []
    # A list and not a recursion: a file decides how deep its messages lie.
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
    """What a key with its value says, where the key is `location`."""
    words = {number: bytes(value) for number, value in _fields(entry) if isinstance(value, memoryview)}
    return [words.get(2, b"").decode(errors="replace")] if words.get(1) == b"location" else []


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        if tag > 0xFFFF_FFFF:
            # onnxruntime would leave the upper bits out, and find another field.
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
            raise ValueError(f"field {number} is of no kind that ONNX has")
        if at + length > len(message):
            raise ValueError(f"field {number} ends after the file does")
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
    raise ValueError("a number does not end")
