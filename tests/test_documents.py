"""README and the other documents: their commands, flags, presets, files and links exist."""

from __future__ import annotations

import re

import pytest

from pipeline.__main__ import COMMANDS, main
from pipeline.settings.presets import PRESETS
from serving import batch_score
from tests.conftest import ROOT
from tests.documents import DOCUMENTS, mentioned, shown

MAKEFILE = (ROOT / "Makefile").read_text()
PACKAGES = "pipeline|components|serving|docs|tools|tests|benchmarks"
COMMAND_PARTS = [
    parts
    for document in DOCUMENTS
    for parts in [
        *[command.parts for command in shown(document) if command.language != "python"],
        *mentioned(document),
    ]
]


def helped(parts: list[str], capsys) -> str:
    """What `--help` of a command prints."""
    with pytest.raises(SystemExit):
        batch_score.main(["--help"]) if parts[2] == "serving.batch_score" else main([parts[3], "--help"])
    return capsys.readouterr().out


def test_readme_shows_the_two_commands_first():
    assert [command.text for command in shown("README.md")][:2] == ["make pipeline", "make test"]


@pytest.mark.parametrize("parts", COMMAND_PARTS, ids=" ".join)
def test_command_and_its_flags_exist(parts, capsys):
    if parts[0] == "make":
        assert re.search(rf"^{parts[1]}:", MAKEFILE, flags=re.MULTILINE)
        for variable in parts[2:]:
            assert re.search(rf"^{variable.split('=')[0]} \?=", MAKEFILE, flags=re.MULTILINE)
        return
    assert parts[0] in ("python", ".venv/bin/python")
    known = helped(parts, capsys)
    if parts[2] == "pipeline":
        assert parts[3] in COMMANDS
        # Every command that works on a data set takes the flags of `run` that name it.
        known += helped([*parts[:3], "run"], capsys)
    for word in parts[3:]:
        if word.startswith("--"):
            assert re.search(rf"{word.split('=')[0]}[ ,\]]", known)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_is_shown_in_one_of_the_documents(command):
    assert any(parts[2:4] == ["pipeline", command] for parts in COMMAND_PARTS)


@pytest.mark.parametrize("name", list(PRESETS))
def test_preset_exists_in_the_readme(name):
    assert f"`{name}`" in DOCUMENTS["README.md"]


@pytest.mark.parametrize("document", list(DOCUMENTS))
def test_files_and_folders_exist(document):
    for name in re.findall(rf"`((?:{PACKAGES})/[\w/.]*)`", DOCUMENTS[document]):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("document", [*DOCUMENTS, "docs/reference.md", "docs/presets.md"])
def test_links_and_pictures_lead_somewhere(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    links = re.findall(r'\]\(([^)]+)\)|(?:src|srcset)="([^"]+)"', text)
    assert links
    for link in ("".join(pair) for pair in links):
        file, _, place = link.partition("#")
        if "//" not in link:
            target = (ROOT / document).parent / file if file else ROOT / document
            assert target.exists(), link
            assert not place or place in places(target), link


def places(page):
    """What a forge calls the headings of a page in its address."""
    headings = re.findall(r"^#+ (.*)", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]
