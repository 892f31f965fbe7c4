"""The lines that the command `doctor` prints."""

from __future__ import annotations

from pipeline.__main__ import main


def findings(capsys, *arguments: str) -> tuple[int, list[str]]:
    """The exit code and all lines."""
    code = main(["doctor", *arguments])
    return code, capsys.readouterr().out.splitlines()


def to_do(capsys, *arguments: str) -> list[str]:
    """The lines that say what to do; the exit code must be 1 exactly if there are any."""
    code, lines = findings(capsys, *arguments)
    found = [line for line in lines if line.startswith("fix ")]
    assert code == int(bool(found))
    return found
