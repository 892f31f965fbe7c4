"""Steps + outcomes -> the graph of a run: who takes what from whom, as lines that a page can draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.outcome import Made, Outcome
from pipeline.step import Step

# In pixels of a phone's width: the steps stand below one another, what they take comes along an arc at their left.
WIDTH, PITCH, TOP = 340, 46, 24
NODE = 128
REACH = 13


@dataclass(frozen=True)
class Node:
    """A step in the drawing.

    Attributes:
        outcome: what became of it.
        x: pixels from the left.
        y: pixels from the top.
    """

    outcome: Outcome
    x: int
    y: int


@dataclass(frozen=True)
class Graph:
    """All steps of a run and what they take, in a drawing.

    Attributes:
        width: pixels.
        height: pixels.
        nodes: the steps, in order.
        arcs: SVG paths, one for each input.
        says: the same in words.
    """

    width: int
    height: int
    nodes: tuple[Node, ...]
    arcs: tuple[str, ...]
    says: str


def draw_lineage(steps: Sequence[Step], made: Made) -> Graph:
    """Places the steps of a run.

    Args:
        steps: in an order in which each comes after those whose outputs it takes.
        made: the outcomes; steps that the run did not come to are left out.
    """
    shown = [step for step in steps if step.name in made]
    place = {step.name: TOP + PITCH * index for index, step in enumerate(shown)}
    sources = {step.name: [source.name for source in step.inputs.values() if source.name in place] for step in shown}
    arcs = [_arc(place[source], place[name]) for name, taken in sources.items() for source in taken]
    takes = [f"{name} takes {', '.join(taken) or 'no other'}" for name, taken in sources.items()]
    return Graph(
        width=WIDTH,
        height=2 * TOP + PITCH * max(len(shown) - 1, 0),
        nodes=tuple(Node(made[step.name], NODE, place[step.name]) for step in shown),
        arcs=tuple(arcs),
        says="; ".join(takes),
    )


def _arc(start: int, end: int) -> str:
    """A path from one step to another; the further apart they are, the further to the left it goes."""
    if end - start == PITCH:
        return f"M{NODE} {start} L{NODE} {end}"
    left = NODE - REACH * ((end - start) // PITCH) - REACH
    return f"M{NODE} {start} C{left} {start} {left} {end} {NODE} {end}"
