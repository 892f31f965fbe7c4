"""A finished batch job -> the metadata of its sidecar, and the lines on the screen."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from serving.batch.inputs.open_file import shown
from serving.batch.job import BatchJob, BatchResult
from serving.batch.replaceable import sidecar_of
from serving.machine import peak_memory_bytes

# Skipped pictures on the screen; the sidecar lists all of them.
MAX_SHOWN_SKIPPED = 10


def metadata(
    job: BatchJob, result: BatchResult, version: int | None, seconds: float, load_seconds: float, score_seconds: float
) -> dict[str, Any]:
    """The content of the sidecar, except the inputs' names and the output's digest.

    The version is None if the bundle was named by its folder. `seconds` is the time since the command started. Parts of
    it are `load_seconds`, to read and check the bundle and load the model, and `score_seconds`, to read, score and
    write.
    """
    bundle, scorer, columns = job.scorer.bundle, job.scorer, job.format.columns
    return {
        "model": bundle.manifest.model,
        "version": version,
        "bundle_sha256": bundle.sha256,
        "input_files": len(job.source.paths),
        "input_bytes": job.source.size_bytes,
        "input_modified": datetime.fromtimestamp(job.source.mtime_ns / 1e9, UTC).isoformat(),
        "rows": job.source.rows,
        "resumed_rows": result.resumed_rows,
        "resize": job.resize_method,
        "left_out": dict(job.source.left_out),
        "skipped": [{"index": row, "why": reason} for row, reason in result.unreadable],
        "precision": scorer.precision,
        "probabilities": columns.probabilities,
        "top": columns.top,
        "batch_size": scorer.batch_size,
        "block_rows": job.block_rows,
        "threads": scorer.threads,
        "seconds": round(seconds, 3),
        "load_seconds": round(load_seconds, 4),
        "images_per_second": round((job.source.rows - result.resumed_rows) / score_seconds, 1),
        "peak_memory_bytes": peak_memory_bytes(),
        "accuracy": result.accuracy,
        "drift": result.drift and result.drift.to_json(),
    }


def summary_line(job: BatchJob, result: BatchResult, version: int | None, seconds: float, target: Path) -> str:
    """One line: the number of images, the rate, the output and the model."""
    bundle, rows = job.scorer.bundle, job.source.rows
    model = f"{bundle.manifest.model} {bundle.path if version is None else f'version {version}'}"
    earlier = f", {result.resumed_rows:,} of them by an earlier run" if result.resumed_rows else ""
    rate = (rows - result.resumed_rows) / seconds
    images = "image" if rows == 1 else "images"
    return f"{rows:,} {images} in {seconds:.2f} s{earlier}, {rate:,.0f} images/s -> {shown(target)} ({model})"


def detail_lines(job: BatchJob, result: BatchResult, target: Path) -> list[str]:
    """The lines after the summary: files left out, skipped pictures, drift, and the accuracy if labels are known."""
    lines = []
    skipped, measured, drift = result.unreadable, result.accuracy, result.drift
    if job.source.left_out:
        from serving.batch.folders.picture_walk import left_out_line

        lines.append(left_out_line(job.source.left_out))
    if skipped:
        shown_skipped, sidecar = skipped[:MAX_SHOWN_SKIPPED], shown(sidecar_of(target))
        rest = f" (all are in {sidecar}), the first ones" if len(skipped) > len(shown_skipped) else ""
        lines.append(f"skipped {len(skipped):,} of {job.source.rows:,} images{rest}:")
        lines += [f"  {reason}" for _, reason in shown_skipped]
    if drift is not None:
        unknown = "; the accuracy is unknown without --labels" if measured is None else ""
        lines.append(drift.sentence + unknown)
    if measured is not None:
        from serving.batch.accuracy import accuracy_lines

        lines += accuracy_lines(measured, job.scorer.bundle.manifest.labels)
    return lines
