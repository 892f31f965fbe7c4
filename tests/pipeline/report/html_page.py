"""Model cards of runs that a test makes, as a browser parses them."""

from __future__ import annotations

from html.parser import HTMLParser

from pipeline.definition import pipeline
from pipeline.records.run_artifacts import RunArtifacts
from pipeline.report.card import write_card
from pipeline.settings.options import parse_run
from tests.pipeline.report.conftest import record_of

SCRIPT = "<script>alert('x')</script>"


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    def values(self, name):
        return [attributes[name] for _, attributes in self.elements if name in attributes]


def write_default_card(record, store, draw=True):
    """Writes the card of a run of the pipeline with default settings."""
    return write_card(RunArtifacts(record, store), pipeline(parse_run([]).config), draw)


def card(runs, made, verdict="promoted", draw=True, run="0001", **config):
    return write_default_card(record_of(run, made, runs.store.root, verdict, **config), runs.store, draw)


def page_of(runs, made, verdict="promoted", **more):
    return Page(card(runs, made, verdict, **more).read_text(encoding="utf-8"))


def require_harmless(page):
    """The page runs nothing and loads nothing, and links only to files beside it."""
    assert {tag for tag, _ in page.elements} & {"script", "iframe", "object", "embed", "form", "base"} == set()
    assert [name for _, attributes in page.elements for name in attributes if name.startswith("on")] == []
    assert all(source.startswith("data:image/png;base64,") for source in page.values("src"))
    targets = {target for target in page.values("href") if not target.startswith("#")}
    assert targets <= {"data:,", "../index.html", "../logs/0001.log"}
