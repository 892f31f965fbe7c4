"""The path of `--out` -> a refusal or nothing: one rule for every command that writes a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from serving.errors import BeamlineError, InputError


def require_out_path(
    out: Path,
    ours: Callable[[], bool] | None = None,
    *,
    expected: str = "",
    suffixes: Sequence[str] = (),
    overwrite: bool | None = None,
) -> None:
    """Refuses a path at which no file can be written, or at which another file would be replaced.

    Args:
        out: the path; a file there is neither read nor changed.
        ours: returns whether an existing file may be replaced; None allows every file.
        expected: a noun with its article, the kind of file for which `ours` returns True.
        suffixes: the allowed endings of the name; none allows all.
        overwrite: whether every file may be replaced; None if the command has no such flag.

    Raises: InputError: the path is refused. BeamlineError: the disk fails.
    """
    if suffixes and out.suffix not in suffixes:
        raise suffix_error(out, suffixes)
    try:
        if (kind := _other_kind(out)) is not None:
            raise InputError(f"--out {out} is {kind}: give the name of a file")
        if not out.parent.is_dir():
            raise InputError(f"--out {out}: {out.parent} is not a folder: create it first, or give another path")
        replaceable = ours is None or overwrite or not out.exists() or ours()
    except OSError as error:
        raise write_error(out, error) from error
    if not replaceable:
        advice = "or give another path" if overwrite is None else "give another path, or replace it with --overwrite"
        raise InputError(f"--out {out} exists and is not {expected}: move it away, {advice}")


def suffix_error(out: Path, suffixes: Sequence[str]) -> InputError:
    """The error of a name with another ending."""
    return InputError(f"--out {out} ends in {out.suffix!r}: give a name that ends in {join_suffixes(suffixes)}")


def write_error(out: Path, error: OSError) -> BeamlineError:
    """The error of a file that the system does not write, with the space if there is too little.

    It is an `InputError` if another path is the answer; a failing disk is not the user's mistake.
    """
    # Imported here: it would take a tenth of the time to score a small file.
    from serving.faults.fault import FULL, OF_THE_MACHINE, Fault
    from serving.faults.wording import fault_sentence

    if error.errno in OF_THE_MACHINE:
        sentence = fault_sentence(Fault(error.errno, out), {"--out": out})
        return InputError(sentence) if error.errno in FULL else BeamlineError(sentence)
    return InputError(f"--out {out} cannot be written: {error.strerror}: give another path")


def join_suffixes(suffixes: Sequence[str]) -> str:
    """`.a, .b or .c`."""
    *others, last = suffixes
    return f"{', '.join(others)} or {last}" if others else last


def _other_kind(out: Path) -> str | None:
    """The kind of a path that is not a regular file; None for a regular file or a free path."""
    if out.name in ("", "..") or out.is_dir():
        return "a folder"
    if not out.exists():
        return "a broken link" if out.is_symlink() else None
    return None if out.is_file() else "a pipe or a device"
