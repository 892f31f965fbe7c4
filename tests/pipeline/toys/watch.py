"""Number -> Number: holds a number against one outside, which matters only where it is another one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.pipeline.toys.number import Number


@dataclass(frozen=True)
class Params:
    file: Path


def fingerprint(number: Number, params: Params) -> dict[str, str]:
    outside = params.file.read_text() if params.file.exists() else str(number.value)
    return {} if outside == str(number.value) else {"outside": outside}


def run(number: Number, params: Params, out: Path) -> Number:
    outside = fingerprint(number, params).get("outside", number.value)
    return Number(path=out, value=int(outside) - number.value).save()
