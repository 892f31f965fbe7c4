"""Environment variables, keras.json and standard streams -> findings: what may change values, and what is not used."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline.engine.process_settings import FIXED, KERAS_HOME, PREFIXES, ignored_settings, settings_in_key
from pipeline.health.finding import Finding

SUBJECT = "environment"
KERAS_FILE = "keras.json"
# Characters in the messages of a run.
SYMBOLS = "×·–≥…"


def environment_findings() -> Iterator[Finding]:
    """Names the settings of this process that are for another program, or that are parts of the keys of steps."""
    found = False
    for name in ignored_settings():
        found, value = True, FIXED[name]
        done = "runs remove it" if value is None else f"runs set it to {value}"
        yield Finding("note", SUBJECT, f"{name}={os.environ[name]} is not used: {done}")
    for file, setting, other in _other_keras_settings():
        found, message = True, f"{file} sets {setting} to {other}, which is not used"
        yield Finding("note", SUBJECT, f"{message}: runs have their own {KERAS_FILE}")
    for name, given in settings_in_key(PREFIXES).items():
        found, message = True, f"{name}={given} may change values: it is a part of the keys"
        yield Finding("note", SUBJECT, f"{message}, so runs without it make other artifacts")
    if not found:
        yield Finding("ok", SUBJECT, "no setting of a library changes values")


def stream_findings() -> Iterator[Finding]:
    """Names the standard streams that cannot print every character."""
    found = False
    for name, stream in {"standard output": sys.stdout, "standard error": sys.stderr}.items():
        try:
            SYMBOLS.encode(stream.encoding or "utf-8")
        except (UnicodeEncodeError, LookupError):
            found, shown = True, SYMBOLS.encode("ascii", "backslashreplace").decode()
            message = f"{name} has the encoding {stream.encoding}, so {SYMBOLS} is printed as {shown}"
            yield Finding("note", "streams", f"{message}: set PYTHONIOENCODING=utf-8")
    if not found:
        yield Finding("ok", "streams", f"every character can be printed: {SYMBOLS}")


def _other_keras_settings() -> Iterator[tuple[Path, str, object]]:
    """The settings in the user's keras.json that differ from those of a run."""
    try:
        file = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / KERAS_FILE
        given = json.loads(file.read_bytes())
        ours = json.loads((KERAS_HOME / KERAS_FILE).read_bytes())
        differing = [(name, value) for name, value in given.items() if value != ours.get(name)]
    except (OSError, ValueError, AttributeError, RuntimeError):
        return
    for name, value in differing:
        yield file, name, value
