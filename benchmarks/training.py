"""Stored examples and preprocessing, a preset -> the seconds of its training, from the recipe to the fitted network.

`python -m benchmarks.training EXAMPLES TRANSFORM PRESET EPOCHS`; imports are not counted.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from components.artifacts.examples import Examples
from components.artifacts.preprocessing import Transform
from pipeline.engine.libraries import import_tensorflow
from pipeline.engine.process_settings import fix_settings
from pipeline.settings.presets import PRESETS


def main(arguments: list[str]) -> None:
    """Prints the seconds."""
    examples, transform, preset, epochs = arguments
    recipe = replace(PRESETS[preset], epochs=int(epochs))
    fix_settings(recipe.intra_op_threads)
    import_tensorflow()
    from components.train.fitting import fit

    given = Examples.load(Path(examples)), Transform.load(Path(transform))
    with tempfile.TemporaryDirectory() as checkpoints:
        started = time.perf_counter()
        fit(*given, recipe, Path(checkpoints))
        print(time.perf_counter() - started)


if __name__ == "__main__":
    main(sys.argv[1:])
