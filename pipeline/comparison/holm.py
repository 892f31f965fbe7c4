"""p-values of several questions -> p-values that may be held against one level all together: Holm's step-down."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p-values: the chance that any true hypothesis among those below a level is there is at most the level.

    The smallest is multiplied by the number of questions, the next by one less and so on; none is below one that was
    smaller (Holm 1979, Scandinavian Journal of Statistics 6:65).

    Args:
        p_values: 0 to 1, in any order.

    Returns:
        Each question's adjusted p-value, 0 to 1, in the order given.
    """
    adjusted = [0.0] * len(p_values)
    reached = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        reached = max(reached, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = reached
    return tuple(adjusted)
