"""inputs: each mutated file is read as an independent reader reads it, or refused by name."""

from __future__ import annotations

import ast
import gzip
import io
import re
import struct
import tracemalloc
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from serving.batch.images import find_images
from serving.batch.labels import open_labels
from serving.errors import InputError
from tests.serving.batch.inputs.encoded_files import GREY, PALETTE, RGB, RGB_ALPHA, chunk, idx, palette, png
from tests.serving.batch.inputs.encoded_files import interlaced as in_passes
from tests.serving.batch.inputs.mutations import mutated
from tests.serving.tiny_bundle import npy, npy_with_header

GREY_SHAPE, COLOUR_SHAPE = (4, 3, 1), (4, 3, 3)
RANDOM = np.random.default_rng(1)
PIXELS = RANDOM.integers(0, 256, COLOUR_SHAPE, np.uint8)
ROWS = RANDOM.integers(0, 256, (6, *GREY_SHAPE), np.uint8)


def jpeg(mode: str, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


def of_version(version) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, ROWS, version)
    return file.getvalue()


GREY_PALETTE = palette(np.repeat(np.arange(0, 256, 17)[:, None], 3, axis=1))
BY_PYTHON_2 = npy_with_header("{'descr': '|u1', 'fortran_order': False, 'shape': (6L, 12L), }\n", ROWS.tobytes())
WHOLES = {
    "npy": [npy(ROWS), npy(np.asfortranarray(ROWS)), npy(ROWS.reshape(6, 12)), of_version((3, 0)), BY_PYTHON_2],
    "idx": [idx(ROWS), idx(ROWS[..., 0])],
    "idx.gz": [gzip.compress(idx(ROWS), mtime=0), gzip.compress(idx(ROWS[..., 0]), mtime=0)],
    "png": [
        png(PIXELS, RGB),
        png(PIXELS[..., :1], GREY, before=chunk(b"tEXt", b"a\0b")),
        png(PIXELS[..., :1] // 16, GREY, 4, before=chunk(b"tRNS", b"\0\3")),
        png(PIXELS[..., :1] // 16, PALETTE, 4, before=GREY_PALETTE, after=chunk(b"tIME", bytes(7))),
        png(np.dstack([PIXELS, np.full((4, 3), 255)]), RGB_ALPHA),
        in_passes(PIXELS, 8, RGB),
    ],
    "jpeg": [jpeg("L"), jpeg("RGB"), jpeg("RGB", progressive=True), jpeg("L", comment=b"a comment")],
    "labels": [npy(np.arange(9, dtype=">i4")), npy(np.arange(9)[:, None]), npy(np.arange(9, dtype=np.uint8))],
}


def by_numpy(content: bytes) -> np.ndarray | None:
    """The array that numpy.load returns, if it reads the whole file."""
    stream = io.BytesIO(content)
    try:
        loaded = np.load(stream, allow_pickle=False)
    except Exception:
        return None
    if not isinstance(loaded, np.ndarray) or stream.tell() != len(content):
        return None
    # numpy accepts a bool as an extent, and types such as '2u1' that add an extent.
    text = content[10 if content[6] == 1 else 12 : len(content) - loaded.nbytes].decode("latin-1")
    shape = ast.literal_eval(re.sub(r"(?<=\d)L", "", text))["shape"]
    return loaded if len(shape) == loaded.ndim and all(type(extent) is int for extent in shape) else None


def by_struct(content: bytes) -> np.ndarray | None:
    """The array in an IDX file of bytes, by the definition of the format."""
    if len(content) < 4 or content[:3] != b"\0\0\x08" or len(content) < 4 + 4 * content[3]:
        return None
    shape = struct.unpack_from(f">{content[3]}I", content, 4)
    pixels = content[4 + 4 * len(shape) :]
    claimed = 1
    for extent in shape:
        claimed *= extent
    return np.frombuffer(pixels, np.uint8).reshape(shape) if len(pixels) == claimed else None


def by_gzip(content: bytes) -> np.ndarray | None:
    try:
        return by_struct(gzip.decompress(content))
    except (OSError, EOFError, zlib.error):
        return None


def by_pillow(content: bytes) -> np.ndarray | None:
    """Red, green and blue of the unstripped file: uint8 (h, w, 3)."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return np.asarray(picture.convert("RGBA"))[..., :3]
    except Exception:
        return None


def fitting(array: np.ndarray | None) -> np.ndarray | None:
    """The images of an array that the model takes: uint8 (n, 4, 3, 1)."""
    if array is None or array.dtype != np.uint8 or array.shape[1:] not in ((4, 3, 1), (4, 3), (12,)):
        return None
    return array.reshape(-1, *GREY_SHAPE)


def as_labels(array: np.ndarray | None) -> np.ndarray | None:
    integers = array is not None and array.dtype.kind in "iu" and array.shape[1:] in ((), (1,)) and array.ndim > 0
    return array.reshape(-1).astype(np.int64) if integers else None


REFERENCES = {
    "npy": lambda content: fitting(by_numpy(content)),
    "idx": lambda content: fitting(by_struct(content)),
    "idx.gz": lambda content: fitting(by_gzip(content)),
    "labels": lambda content: as_labels(by_struct(content) if content[:2] == b"\0\0" else by_numpy(content)),
}


def read(path, kind: str, image_shape=GREY_SHAPE) -> np.ndarray | None:
    """The content of a file; None if it is refused, in one line that names the file."""
    try:
        return _labels(path) if kind == "labels" else _images(path, image_shape)
    except InputError as error:
        message = str(error)
    assert message.startswith(str(path))
    assert "\n" not in message
    return None


def _labels(path) -> np.ndarray:
    labels = open_labels(path, ("a", "b"))
    return labels.read(0, labels.rows)


def _images(path, image_shape) -> np.ndarray:
    images = find_images([str(path)])
    block = images.read(0, images.rows, image_shape)
    images.require_unchanged()
    return block.images


def reads_picture(content: bytes, path) -> bool:
    """Whether a grey or a colour model takes a picture; the pixels equal those of Pillow."""
    grey, coloured = (read(path, "png", shape) for shape in (GREY_SHAPE, COLOUR_SHAPE))
    if coloured is not None:
        np.testing.assert_array_equal(coloured[0], by_pillow(content))
    if grey is not None:
        np.testing.assert_array_equal(np.broadcast_to(grey[0], COLOUR_SHAPE), by_pillow(content))
    assert grey is None or coloured is not None
    return coloured is not None


def reads_array(content: bytes, path, kind: str) -> bool:
    """Whether an array file is read; the result equals that of the independent reader, also in refusals."""
    got, expected = read(path, kind), REFERENCES[kind](content)
    assert (got is None) == (expected is None), content
    if got is not None:
        np.testing.assert_array_equal(got, expected)
    return got is not None


def run_cases(folder, kind: str, count: int, seed: int) -> tuple[int, int]:
    """Reads mutated files. Returns: the numbers of files that were read and refused."""
    path = folder / "mutated"
    taken = 0
    for content in mutated(kind, WHOLES[kind], count, seed):
        path.write_bytes(content)
        with warnings.catch_warnings():
            # The independent readers warn; another test checks that ours do not.
            warnings.simplefilter("ignore")
            taken += reads_picture(content, path) if kind in ("png", "jpeg") else reads_array(content, path, kind)
    return taken, count - taken


@pytest.mark.parametrize("kind", list(WHOLES))
def test_intact_files_are_read(tmp_path, kind):
    for content in WHOLES[kind]:
        (tmp_path / "whole").write_bytes(content)
        got = read(tmp_path / "whole", kind, COLOUR_SHAPE if kind in ("png", "jpeg") else GREY_SHAPE)
        assert got is not None or kind == "png"


@pytest.mark.parametrize("kind", list(WHOLES))
def test_mutated_files_are_read_correctly_or_refused(tmp_path, kind):
    taken, refused = run_cases(tmp_path, kind, 200, seed=0)
    assert taken > 3
    assert refused > 40


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", list(WHOLES))
def test_thousands_of_mutated_files_are_read_correctly_or_refused(tmp_path, kind):
    taken, refused = run_cases(tmp_path, kind, 6_000, seed=1)
    print(f"{kind}: {taken:,} read, {refused:,} refused")
    assert taken > 100


@pytest.mark.parametrize("kind", list(WHOLES))
def test_mutated_files_take_little_memory_and_raise_no_warnings(tmp_path, kind):
    path = tmp_path / "mutated"
    for content in WHOLES[kind]:
        path.write_bytes(content)
        read(path, kind)
    tracemalloc.start()
    try:
        for content in mutated(kind, WHOLES[kind], 100, seed=2):
            path.write_bytes(content)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            read(path, kind)
            assert tracemalloc.get_traced_memory()[1] - before < 3 * len(content) + 300_000, content
    finally:
        tracemalloc.stop()
