"""Steps + outcomes -> the graph of a run: the steps, and an SVG path from each input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.engine.outcome import Outcome, Outcomes
from pipeline.engine.step import Step

# In pixels, for the width of a phone: the steps in one column, their inputs as arcs at the left.
WIDTH, PITCH, TOP = 340, 46, 24
NODE = 128
REACH = 13


@dataclass(frozen=True)
class LineageNode:
    """The outcome of a step, and its middle in the drawing, in pixels from the left and from the top."""

    outcome: Outcome
    x: int
    y: int


@dataclass(frozen=True)
class Lineage:
    """A drawing of the steps of a run, in order, with an SVG path for each input; `description` is the same as text."""

    width: int
    height: int
    nodes: tuple[LineageNode, ...]
    arcs: tuple[str, ...]
    description: str


def lineage_of(steps: Sequence[Step], outcomes: Outcomes) -> Lineage:
    """Places the steps of a run, each after its inputs; a step without an outcome is left out."""
    shown = [step for step in steps if step.name in outcomes]
    place = {step.name: TOP + PITCH * index for index, step in enumerate(shown)}
    sources = {step.name: [name for name in step.sources if name in place] for step in shown}
    arcs = [_arc(place[source], place[name]) for name, taken in sources.items() for source in taken]
    takes = [f"{name} takes {', '.join(taken) or 'no other'}" for name, taken in sources.items()]
    return Lineage(
        width=WIDTH,
        height=2 * TOP + PITCH * max(len(shown) - 1, 0),
        nodes=tuple(LineageNode(outcomes[step.name], NODE, place[step.name]) for step in shown),
        arcs=tuple(arcs),
        description="; ".join(takes),
    )


def _arc(start: int, end: int) -> str:
    """A path from one step to another; the farther apart they are, the farther left it goes."""
    if end - start == PITCH:
        return f"M{NODE} {start} L{NODE} {end}"
    left = NODE - REACH * ((end - start) // PITCH) - REACH
    return f"M{NODE} {start} C{left} {start} {left} {end} {NODE} {end}"
