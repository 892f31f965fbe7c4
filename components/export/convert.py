"""Model + Transform + Statistics + Examples -> Bundle that no gate judged: SavedModel and ONNX, preprocessing inside.

It is apart from `export`, because it takes long and depends on no limit of the gate.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from components.artifacts.bundle import Bundle
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.preprocessing import Transform
from components.artifacts.statistics import Statistics


@dataclass(frozen=True)
class Params:
    """The bundle's name.

    Attributes:
        model: the name to promote it under.
    """

    model: str


def run(
    model: Model, transform: Transform, statistics: Statistics, examples: Examples, params: Params, out: Path
) -> Bundle:
    """Writes all formats and a manifest without a gate; the bundle does not depend on run, time, host or path."""
    from components.artifacts.schema import SCHEMA, Schema
    from components.export.baseline import write_baseline
    from components.export.bundle_files import describe, write_precisions, write_sample
    from components.export.onnx_graph import convert
    from components.export.saved_model import serving_module, write_saved_model
    from serving.bundle.bundle import ONNX
    from serving.files import write_json
    from serving.scoring.network import Network

    module = serving_module(model, transform, examples.image_shape)
    write_saved_model(module, out)
    labels = json.dumps(examples.class_names, ensure_ascii=False)
    precisions = write_precisions(convert(module, {"model": params.model, "labels": labels}), examples, out)
    write_sample(model, transform, examples, out)
    write_baseline(Network((out / ONNX).read_bytes()), examples, out)
    # The next run's data are compared with this schema.
    write_json(out / SCHEMA, Schema.of(examples, statistics.splits["train"]).to_json())
    return Bundle.seal(out, describe(params.model, model, transform, examples, precisions))
