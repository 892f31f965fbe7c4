"""Command-line arguments whose errors are InputErrors of one sentence."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from typing import NoReturn

from serving.errors import InputError

# Narrower help has more lines than anyone reads.
LEAST_COLUMNS = 40


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Help as wide as the terminal. To find the width, argparse would import shutil and more for every argument."""
    columns = 80
    with suppress(OSError, ValueError, AttributeError):
        columns = int(os.environ.get("COLUMNS") or os.get_terminal_size(sys.stdout.fileno()).columns)
    return argparse.HelpFormatter(prog, width=max(columns, LEAST_COLUMNS) - 2)


class Arguments(argparse.ArgumentParser):
    """An argparse parser that raises instead of exiting; abbreviated flags are refused."""

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
