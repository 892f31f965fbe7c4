"""Values + template -> one self-contained page: it loads nothing and runs nothing; text from outside is escaped."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import BytecodeCache, Environment
    from markupsafe import Markup

# Of a file's name under its image: two or three lines.
MAX_CHARACTERS = 48
TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: Any) -> str:
    """A page as text.

    Args:
        template: a file in `templates/`.
        values: by the template's name for them; text is escaped, except SVG, which the template marks as `drawn`.

    Raises:
        jinja2.UndefinedError: the template uses a value that is missing.
    """
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        bytecode_cache=_compiled_templates(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"shown": printable, "text": printable_lines, "shortened": shortened, "drawn": _unescaped}
    return environment


def _compiled_templates() -> BytecodeCache | None:
    """The compiled templates, where Python keeps compiled code; None if it keeps none, or the folder cannot be made.

    To compile the templates takes longer than to write a page.
    """
    from jinja2 import FileSystemBytecodeCache
    from jinja2.bccache import Bucket

    class Compiled(FileSystemBytecodeCache):
        def dump_bytecode(self, bucket: Bucket) -> None:
            # As with Python's own compiled code, the page does not depend on it.
            with suppress(OSError):
                super().dump_bytecode(bucket)

    folder = Path(cache_from_source(str(TEMPLATES / "page.py"))).parent
    if not sys.dont_write_bytecode:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            return Compiled(str(folder))
    return None


def printable(text: str) -> str:
    r"""A name with every character that is not printable, such as a line end, written as an escape (`\n`)."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def printable_lines(text: str) -> str:
    """A text, made printable line by line."""
    return "\n".join(printable(line) for line in text.splitlines())


def shortened(text: str, most: int = MAX_CHARACTERS) -> str:
    """A path of at most `most` characters: the middle becomes `…`; the folder is at the start, the file at the end."""
    if len(text) <= most:
        return text
    start = (most - 1) // 3
    return f"{text[:start]}…{text[start + 1 - most :]}"


def _unescaped(svg: str) -> Markup:
    from markupsafe import Markup

    return Markup(svg)
