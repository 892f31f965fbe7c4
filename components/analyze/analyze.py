"""Examples -> Statistics: exact counts over all pixels and labels, and all duplicates."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from components.artifacts.examples import Examples
from components.artifacts.statistics import Statistics
from components.beam import BeamOptions


def run(examples: Examples, beam: BeamOptions, out: Path) -> Statistics:
    """Counts every block, adds the counts per split, and compares the hashes of all images.

    The hashes travel through files: Beam would group them in memory, at several times their size. Their values are
    divided into ranges of equal width, and each range is searched for duplicates alone.
    """
    # Imported here, as in every component: a run that finds the output in the store needs no part of the work.
    from components.analyze.duplicate_search import add_duplicates
    from components.analyze.search import find_all

    examples = replace(examples, path=examples.path.absolute())
    hashes = out.absolute() / "hashes"
    hashes.mkdir()
    found = find_all(examples, hashes, beam)
    shutil.rmtree(hashes)
    statistics = Statistics(
        path=out,
        class_names=examples.class_names,
        splits={split: counts.statistics for split, counts in sorted(found.splits.items())},
        duplicates=add_duplicates(found.duplicates),
    )
    for split, counts in found.splits.items():
        statistics.write_class_sums(split, counts.class_sums)
    return statistics.save()
