"""lineage: every step of the run is drawn once, with an arc for each input."""

from __future__ import annotations

import re

from components import analyze, ingest
from pipeline.definition import pipeline
from pipeline.engine.outcome import Outcome
from pipeline.report.lineage import NODE, lineage_of
from pipeline.settings.options import parse_run


def drawn(*names):
    steps = pipeline(parse_run([]).config)
    made = {step.name: Outcome(step.name, "cached") for step in steps if not names or step.name in names}
    return steps, lineage_of(steps, made)


def test_every_input_is_an_arc_between_the_right_steps():
    steps, graph = drawn()
    names = {node.y: node.outcome.name for node in graph.nodes}
    found = set()
    for arc in graph.arcs:
        start, *_, end = re.findall(rf"{NODE} (\d+)", arc)
        found.add((names[int(start)], names[int(end)]))
    assert found == {(source, step.name) for step in steps for source in step.sources}
    assert len(graph.arcs) == sum(len(step.sources) for step in steps)


def test_everything_is_inside_and_nothing_overlaps():
    _, graph = drawn()
    numbers = [float(number) for arc in graph.arcs for number in re.findall(r"-?\d+", arc)]
    assert min(numbers) >= 0
    assert max(numbers) <= graph.height
    assert len({(node.x, node.y) for node in graph.nodes}) == len(graph.nodes) == 9


def test_steps_without_an_outcome_are_left_out():
    _, graph = drawn(ingest.__name__.split(".")[1], analyze.__name__.split(".")[1])
    assert [node.outcome.name for node in graph.nodes] == ["ingest", "analyze"]
    assert (graph.description, len(graph.arcs)) == ("ingest takes no other; analyze takes ingest", 1)
    assert drawn("nothing")[1].nodes == ()
