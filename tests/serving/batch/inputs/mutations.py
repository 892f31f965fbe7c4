"""Mutated files: intact files with a few random changes, by a seed."""

from __future__ import annotations

import gzip
import random
import struct
import zlib
from collections.abc import Callable, Iterator

from tests.serving.batch.inputs.encoded_files import chunk

NUMBERS = (0, 1, 2, 3, 4, 8, 127, 128, 255, 256, 65_535, 65_536, 2**31 - 1, 2**31, 2**32 - 1)
WORDS = (
    *("(", ")", "'", '"', "{", "}", "[", "]", ",", ":", "\\", "\n", " ", "\0", "é", "#", "-", "0x", "L", "()", "1.0"),
    *("True", "False", "None", "-1", "0", "1", "2", "3", "6", "1000000000000", "9" * 40, "10**9", "descr", "shape"),
    *("'|u1'", "'<u1'", "'>u1'", "'|i1'", "'<u2'", "'>f4'", "'|b1'", "'|O'", "'<U3'", "'|V6'", "'<c8'", "'<m8'"),
    *("[('a', '|u1')]", "('|u1', (2,))", "'fortran_order'"),
)


def mutated(kind: str, wholes: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Files of a kind, each an intact file with one to four changes."""
    draw = random.Random(f"{kind} {seed}")
    deep = DEEP[kind]
    for _ in range(count):
        content = draw.choice(wholes)
        for _ in range(draw.choice((1, 1, 1, 1, 1, 2, 4))):
            content = deep(content, draw) if draw.random() < 0.4 else damage(content, draw)
        yield content


def damage(content: bytes, draw: random.Random) -> bytes:
    """One change that ignores the format, in half of the cases near the start."""
    place = draw.randrange(min(len(content), 48) if draw.random() < 0.5 else len(content)) if content else 0
    end = min(len(content), place + draw.randint(1, 16))
    number = struct.pack(draw.choice((">I", "<I")), draw.choice(NUMBERS))
    changes: list[Callable[[], bytes]] = [
        lambda: content[:place] + bytes([content[place] ^ 1 << draw.randrange(8)]) + content[place + 1 :],
        lambda: content[:place] + bytes([draw.choice((0, 1, 127, 128, 254, 255))]) + content[place + 1 :],
        lambda: content[:place] + number + content[place + 4 :],
        lambda: content[:place],
        lambda: content[:place] + content[end:],
        lambda: content[:place] + content[place:end] + content[place:],
        lambda: content[:place] + draw.randbytes(end - place) + content[end:],
        lambda: content + draw.choice((b"\0", b"\n", content, draw.randbytes(9))),
    ]
    return draw.choice(changes)() if content else draw.randbytes(3)


def _in_header(content: bytes, draw: random.Random) -> bytes:
    """Inserts, removes or replaces a word in the header of a .npy file, and corrects the header's length."""
    start = 10 if content[6:7] == b"\x01" else 12
    length = int.from_bytes(content[8:start], "little")
    text = content[start : start + length].decode("latin-1")
    place = draw.randrange(max(1, len(text.rstrip())))
    end = place + draw.choice((0, 0, 1, 2, 5))
    text = text[:place] + draw.choice(WORDS) + text[end:]
    header = text.encode("latin-1")
    return content[:8] + len(header).to_bytes(start - 8, "little") + header + content[start + length :]


def _inside(content: bytes, draw: random.Random) -> bytes:
    """Changes the compressed content."""
    try:
        plain = gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return damage(content, draw)
    return gzip.compress(damage(plain, draw), mtime=0)


def _in_chunks(content: bytes, draw: random.Random) -> bytes:
    """Changes the chunks of a PNG file, and corrects the checksums."""
    chunks = []
    place = 8
    while place + 12 <= len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        chunks.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + length]))
        place += 12 + length
    if not chunks:
        return damage(content, draw)
    at, other = draw.randrange(len(chunks)), draw.randrange(len(chunks))
    kind, body = chunks[at]
    choice = draw.randrange(6)
    if choice == 0:
        chunks.insert(other, chunks[at])
    elif choice == 1:
        chunks[at], chunks[other] = chunks[other], chunks[at]
    elif choice == 2:
        chunks[at] = (draw.choice((b"tEXt", b"acTL", b"fcTL", b"fdAT", b"tRNS", b"PLTE", b"IDAT", b"NEWS")), body)
    elif kind == b"IDAT" and choice > 3:
        chunks[at] = (kind, _repacked(body, draw))
    else:
        chunks[at] = (kind, damage(body, draw))
    return content[:8] + b"".join(chunk(kind, body) for kind, body in chunks)


def _repacked(body: bytes, draw: random.Random) -> bytes:
    try:
        return zlib.compress(damage(zlib.decompress(body), draw))
    except zlib.error:
        return damage(body, draw)


DEEP: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "npy": _in_header,
    "idx": damage,
    "idx.gz": _inside,
    "png": _in_chunks,
    "jpeg": damage,
    "labels": _in_header,
}
