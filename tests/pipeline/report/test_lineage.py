"""lineage: every step of the run stands there once, and everything that it takes is a line to it."""

from __future__ import annotations

import re

from components import analyze, ingest
from pipeline.definition import pipeline
from pipeline.options import parse_run
from pipeline.outcome import Outcome
from pipeline.report.lineage import NODE, draw_lineage


def drawn(*names):
    steps = pipeline(parse_run([]).config, "0001")
    made = {step.name: Outcome(step.name, "cached") for step in steps if not names or step.name in names}
    return steps, draw_lineage(steps, made)


def test_every_input_is_an_arc_between_the_right_steps():
    steps, graph = drawn()
    names = {node.y: node.outcome.name for node in graph.nodes}
    found = set()
    for arc in graph.arcs:
        start, *_, end = re.findall(rf"{NODE} (\d+)", arc)
        found.add((names[int(start)], names[int(end)]))
    assert found == {(source.name, step.name) for step in steps for source in step.inputs.values()}
    assert len(graph.arcs) == sum(len(step.inputs) for step in steps)


def test_nothing_is_drawn_outside_and_nothing_twice_in_a_place():
    _, graph = drawn()
    numbers = [float(number) for arc in graph.arcs for number in re.findall(r"-?\d+", arc)]
    assert min(numbers) >= 0
    assert max(numbers) <= graph.height
    assert len({(node.x, node.y) for node in graph.nodes}) == len(graph.nodes) == 9


def test_what_a_run_did_not_come_to_is_left_out():
    _, graph = drawn(ingest.__name__.split(".")[1], analyze.__name__.split(".")[1])
    assert [node.outcome.name for node in graph.nodes] == ["ingest", "analyze"]
    assert (graph.says, len(graph.arcs)) == ("ingest takes no other; analyze takes ingest", 1)
    assert drawn("nothing")[1].nodes == ()
