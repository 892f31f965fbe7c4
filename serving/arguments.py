"""A command's arguments, whose mistakes are told as every other mistake is: in one sentence."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from typing import NoReturn

from serving.errors import InputError


def _formatter(prog: str) -> argparse.HelpFormatter:
    """As wide as the terminal. argparse would import a tenth of the standard library to know, for every argument."""
    columns = os.environ.get("COLUMNS", "")
    with suppress(OSError, ValueError, AttributeError):
        columns = columns or str(os.get_terminal_size(sys.stdout.fileno()).columns)
    return argparse.HelpFormatter(prog, width=int(columns or 80) - 2)


class Arguments(argparse.ArgumentParser):
    """argparse, which would print its usage and exit, raising instead; abbreviated flags are not taken."""

    def __init__(self, prog: str, description: str, epilog: str | None = None, add_help: bool = True) -> None:
        super().__init__(
            prog,
            description=description,
            epilog=epilog,
            add_help=add_help,
            allow_abbrev=False,
            formatter_class=_formatter,
        )

    def error(self, message: str) -> NoReturn:
        """Raises: InputError: always."""
        raise InputError(f"{message}: see {self.prog} --help")
