"""A command's arguments, whose mistakes are told as every other mistake is: in one sentence."""

from __future__ import annotations

import argparse
from typing import NoReturn

from serving.errors import InputError


class Arguments(argparse.ArgumentParser):
    """argparse, which would print its usage and exit, raising instead; abbreviated flags are not taken."""

    def __init__(self, prog: str, description: str, epilog: str | None = None, add_help: bool = True) -> None:
        super().__init__(prog, description=description, epilog=epilog, add_help=add_help, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Raises: InputError: always."""
        raise InputError(f"{message}: see {self.prog} --help")
