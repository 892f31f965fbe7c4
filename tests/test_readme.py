"""The README: its commands, flags, presets and files exist."""

from __future__ import annotations

import re

import pytest

from pipeline.__main__ import COMMANDS, main
from pipeline.presets import PRESETS
from serving import batch_score
from tests.conftest import ROOT
from tests.readme import README, commands, mentioned

MAKEFILE = (ROOT / "Makefile").read_text()


def helped(words: list[str], capsys) -> str:
    """What `--help` of a command prints."""
    with pytest.raises(SystemExit):
        batch_score.main(["--help"]) if words[2] == "serving.batch_score" else main([words[3], "--help"])
    return capsys.readouterr().out


def test_readme_shows_the_two_commands_first():
    assert commands()[:2] == [["make", "pipeline"], ["make", "test"]]


@pytest.mark.parametrize("words", [*commands(), *mentioned()], ids=" ".join)
def test_command_and_its_flags_exist(words, capsys):
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", MAKEFILE, flags=re.MULTILINE)
        for variable in words[2:]:
            assert re.search(rf"^{variable.split('=')[0]} \?=", MAKEFILE, flags=re.MULTILINE)
        return
    assert words[:2] == ["python", "-m"]
    known = helped(words, capsys)
    if words[2] == "pipeline":
        assert words[3] in COMMANDS
        # Every command that works on a data set takes the flags of `run` that name it.
        known += helped([*words[:3], "run"], capsys)
    for word in words[3:]:
        if word.startswith("--"):
            assert f"{word.split('=')[0]} " in known


@pytest.mark.parametrize("name", list(PRESETS))
def test_preset_exists_in_the_readme(name):
    assert f"`{name}`" in README


def test_files_and_folders_exist():
    for name in re.findall(r"`((?:pipeline|components|serving|docs)/[\w/.]*)`|\]\((docs/[^)]+)\)", README):
        assert (ROOT / "".join(name)).exists()
