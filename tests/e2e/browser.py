"""Pages in a real browser: every screen and scheme, and what is wrong with them there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest

from tests.conftest import ROOT

FOLDER = ROOT / "tests" / "browser"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


def require_browser() -> None:
    """Skips where there is no browser to look with; CI must have one."""
    missing = None
    if not Path(CHROMIUM).exists():
        missing = f"there is no {CHROMIUM}: apt-get install chromium"
    elif shutil.which("node") is None or not (FOLDER / "node_modules").is_dir():
        missing = f"npm ci --prefix {FOLDER} was not run"
    if missing is not None:
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)


def faults(pages: Sequence[Path], looks: Literal["all", "first"] = "all") -> list[str]:
    """What a browser complains of, page by page, on a large and a small screen, by day and by night.

    Errors and warnings of its console, requests, failed requests, what is wider than the screen, images that
    are missing, plots without a height, scripts, and what axe-core calls serious or critical.

    Args:
        pages: files.
        looks: `first` looks at each page only on a large screen by day.
    """
    require_browser()
    command = ["node", "look.mjs", looks, *map(str, pages)]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(seen) == {"all": 4, "first": 1}[looks] * len(pages)
    found = []
    for look in seen:
        # axe-core looked at something.
        assert look["rules"] > 20
        where = f"{Path(look['page']).name}, {look['screen']}, {look['scheme']}"
        found += [f"{where}: {fault}" for what in ("errors", "faults", "overflow", "missing") for fault in look[what]]
        found += [f"{where}: {look[what]} {what}" for what in ("empty", "scripts") if look[what]]
    return found
