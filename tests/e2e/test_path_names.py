"""A path that a command takes may have every character: of patterns, of addresses, of shells, and line ends."""

from __future__ import annotations

import argparse
import shutil
from collections import defaultdict
from pathlib import Path
from typing import get_type_hints
from unittest.mock import patch

import numpy as np
import pytest

from pipeline.__main__ import COMMANDS, main
from pipeline.settings.options import RunOptions, ValidateOptions
from serving import batch_score

pytestmark = pytest.mark.exhaustive

NAME = "p[1]*? {a}\\#%41:'\"&\n;~$x"
# Its file must have the name of a preset, so such a name is refused before the search.
REFUSED = {("tune", "--out")}
# Needs the files of a data set that is downloaded.
UNTRIED = {("run", "--manual-dir")}
SCORER = "serving.batch_score"


def path_flags() -> set[tuple[str, str]]:
    """Every flag for a path, by command, from the definitions; `sample`, `tune` and `compare` take those of `run`."""
    found = set()
    for options, prefix in ((RunOptions, "--"), (ValidateOptions, "--validate.")):
        for name, hint in get_type_hints(options).items():
            if hint in (Path, Path | None):
                found.add(("run", prefix + name.replace("_", "-")))
    for name in COMMANDS:
        found |= set() if name == "run" else {(name, flag) for flag in parsed_paths(main, [name])}
    return found | {(SCORER, flag) for flag in parsed_paths(batch_score.main, [])}


def parsed_paths(command, arguments):
    parsers: list[argparse.ArgumentParser] = []
    asked = patch.object(argparse.ArgumentParser, "print_help", lambda parser, *_: parsers.append(parser))
    with asked, pytest.raises(SystemExit):
        command([*arguments, "--help"])
    return {action.option_strings[0] for action in parsers[0]._actions if action.type is Path}


def test_every_path_may_have_every_character(new_project, data_dir):
    project, used = new_project(), defaultdict(set)

    def do(command, *arguments, code=0):
        used[command] |= {argument.split("=")[0] for argument in arguments}
        module = (SCORER,) if command == SCORER else ("pipeline", command)
        done = project.command(*module, *arguments)
        assert done.returncode == code, (command, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        assert code != 2 or done.stderr.count("\n") == 1

    folder = project.folder
    shutil.copytree(data_dir, folder / "data" / NAME)
    runs, models, data = f"--runs=runs/{NAME}", f"--models=models/{NAME}", f"--data-dir=data/{NAME}"
    schema, images = f"{NAME}.json", f"{NAME}.npy"
    tiny = ("--dataset", "tiny", data, runs, models, "--evaluate.min-accuracy", "0.9")
    do("run", *tiny)
    do("schema", "1", runs, f"--out={schema}")
    do("run", *tiny, f"--validate.schema={schema}")
    do("run", *tiny, f"--validate.schema={NAME}", code=2)
    do("sample", *tiny, f"--out={images}")
    do("tune", *tiny, f"--out={schema}", code=2)
    do(SCORER, images, models, f"--out={NAME}.csv", f"--labels={NAME}.labels.npy")
    do(SCORER, images, f"--model=models/{NAME}/tiny/1", f"--out={NAME}.jsonl")
    do(SCORER, images, f"--models={NAME}", code=2)
    assert len((folder / f"{NAME}.jsonl").read_text().splitlines()) == len(np.load(folder / images))
    do("history", "tiny", models, runs)
    do("promote", "1", "--reason", "again", runs, models)
    do("rollback", "tiny", "--to", "1", "--reason", "again", runs, models, code=2)
    do("doctor", "--dataset", "tiny", runs, models, data, f"--manual-dir={NAME}", code=1)
    for command in ("runs", "show", "diff"):
        do(command, *{"runs": (), "show": ("1",), "diff": ("1", "2")}[command], runs)
    do("clean", "--keep", "1", runs, models)
    tried = {(command, flag) for command, flags in used.items() for flag in flags}
    assert path_flags() - tried == UNTRIED
    assert tried >= REFUSED
