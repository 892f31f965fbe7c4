"""The name of an array or of its file -> its content and its split; archives and folders follow the same rule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from components.ingest import split_names

IMAGES, LABELS, CLASS_NAMES = "images", "labels", "class names"
TRAIN = split_names.TRAIN

# By token, in lower case.
SPLITS = {
    **split_names.SPLITS,
    **dict.fromkeys(("tr", "trn"), TRAIN),
    **dict.fromkeys(("te", "tst", "t10k"), split_names.TEST),
}
CONTENTS = {
    **dict.fromkeys(("x", "image", "images", "img", "imgs", "pixels"), IMAGES),
    **dict.fromkeys(("y", "label", "labels", "lbl", "lbls", "target", "targets"), LABELS),
}
# These tokens mean images only in a name without one of CONTENTS.
WEAK_CONTENTS = dict.fromkeys(("data", "feature", "features"), IMAGES)
NAMES = {f"{kind}_{plural}" for kind in ("class", "label", "target") for plural in ("name", "names")}
# Words about the format, and numpy's names for arrays without one.
FORMATS = re.compile(r"idx\d?|ubyte|u?int8|npy|npz|mat|gz|\d+x\d+(x\d+)?|arr", re.ASCII)

TOKEN = re.compile(r"[^\W_]+")
_SPLIT, _CONTENT = "|".join(SPLITS), "|".join([*CONTENTS, *WEAK_CONTENTS])
JOINED = re.compile(f"({_SPLIT})({_CONTENT})|({_CONTENT})({_SPLIT})")


class AmbiguousNameError(ValueError):
    """A name with tokens for two contents, or for two splits; the text gives the tokens."""


class ArrayName(NamedTuple):
    """What a name says.

    Attributes:
        content: `IMAGES`, `LABELS` or `CLASS_NAMES`; None if the name does not tell.
        split: `train`, `test` or `validation`; None if the name does not tell.
        rest: the name's other tokens, as they are written: the name of the set, or of a split of its own.
        short: whether the content is only `x` or `y`.
    """

    content: str | None
    split: str | None
    rest: str
    short: bool


def match_name(*parts: str) -> ArrayName:
    """Finds the content and the split in a name, in any case and order: `X_train`, `trainX`, `train-images-idx3-ubyte`.

    Args:
        parts: the name of the array, and then that of its file, each without a suffix. A later part counts only for
            what the earlier ones do not tell.

    Raises:
        AmbiguousNameError: one part has tokens for two contents or for two splits.
    """
    content = split = None
    short = False
    rest: list[str] = []
    for part in parts:
        tokens = list(_tokens(part))
        if CLASS_NAMES in (found := _contents(tokens)):
            return ArrayName(CLASS_NAMES, None, "", False)
        if content is None and (content := _only(found)) is not None:
            short = not {"x", "y"}.isdisjoint(tokens) and len(CONTENTS.keys() & set(tokens)) == 1
        split = split or _only({SPLITS[token] for token in tokens if token in SPLITS})
        rest.append(_rest(part))
    return ArrayName(content, split, " ".join(filter(None, reversed(rest))), short)


def own_split(name: ArrayName) -> str:
    """The name of a split that is none of the usual ones: `train_2` of `x_train_2`."""
    return "_".join(filter(None, (name.split, name.rest))) or TRAIN


def _tokens(part: str) -> Iterator[str]:
    """The tokens of a name, in lower case; `trainx` and `xtrain` are two tokens."""
    for match in TOKEN.finditer(part):
        token = match.group().lower()
        joined = JOINED.fullmatch(token)
        yield from filter(None, joined.groups()) if joined else (token,)


def _contents(tokens: list[str]) -> set[str]:
    if any(f"{one}_{other}" in NAMES for one, other in pairwise(tokens)):
        return {CLASS_NAMES}
    strong = {CONTENTS[token] for token in tokens if token in CONTENTS}
    return strong or {WEAK_CONTENTS[token] for token in tokens if token in WEAK_CONTENTS}


def _only(found: Iterable[str]) -> str | None:
    meanings = sorted(found)
    if len(meanings) > 1:
        raise AmbiguousNameError(" and ".join(meanings))
    return meanings[0] if meanings else None


def _rest(part: str) -> str:
    """The tokens that are neither a split, a content nor a format; as they are written, if they are side by side."""
    kept = [(place, match) for place, match in enumerate(TOKEN.finditer(part)) if not _is_known(match.group().lower())]
    if kept and kept[-1][0] - kept[0][0] == len(kept) - 1:
        return part[kept[0][1].start() : kept[-1][1].end()]
    return "_".join(match.group() for _, match in kept)


def _is_known(token: str) -> bool:
    return (
        token in SPLITS.keys() | CONTENTS.keys() | WEAK_CONTENTS.keys()
        or JOINED.fullmatch(token) is not None
        or FORMATS.fullmatch(token) is not None
    )
