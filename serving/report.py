"""A job that is done -> what its sidecar and the screen say of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from serving.inputs.open_file import shown
from serving.job import Done, Job
from serving.process import peak_memory_bytes

# Pictures that were skipped: the sidecar lists all of them.
MAX_SHOWN_SKIPPED = 10


def report(
    job: Job, done: Done, version: int | None, seconds: float, load_seconds: float, score_seconds: float
) -> dict[str, Any]:
    """What the sidecar says, besides the inputs' names and the output's digest.

    Args:
        job: what was done.
        done: what came of it.
        version: the model's version; None of a bundle's folder.
        seconds: since the command began.
        load_seconds: that reading and checking the bundle and loading the model took.
        score_seconds: that reading, scoring and writing took.
    """
    bundle, scorer, columns = job.scorer.bundle, job.scorer, job.format.columns
    drift = job.drift(done)
    return {
        "model": bundle.manifest.model,
        "version": version,
        "bundle_sha256": bundle.sha256,
        "input_files": len(job.source.paths),
        "input_bytes": job.source.size_bytes,
        "input_modified": datetime.fromtimestamp(job.source.mtime_ns / 1e9, UTC).isoformat(),
        "rows": job.source.rows,
        "resumed_rows": done.resumed_rows,
        "skipped": [{"index": row, "why": why} for row, why in done.tally.unreadable],
        "precision": scorer.precision,
        "probabilities": columns.probabilities,
        "top": columns.top,
        "batch_size": scorer.batch_size,
        "block_rows": job.block_rows,
        "threads": scorer.threads,
        "seconds": round(seconds, 3),
        "load_seconds": round(load_seconds, 4),
        "images_per_second": round((job.source.rows - done.resumed_rows) / score_seconds, 1),
        "peak_memory_bytes": peak_memory_bytes(),
        "accuracy": _accuracy(job, done),
        "drift": drift and drift.described(),
    }


def closing_line(job: Job, done: Done, version: int | None, seconds: float, target: Path) -> str:
    """How many, how fast, where, and with which model."""
    bundle, rows = job.scorer.bundle, job.source.rows
    named = f"{bundle.manifest.model} {bundle.path if version is None else f'version {version}'}"
    earlier = f", {done.resumed_rows:,} of them by an earlier run" if done.resumed_rows else ""
    rate = (rows - done.resumed_rows) / seconds
    images = "image" if rows == 1 else "images"
    return f"{rows:,} {images} in {seconds:.2f} s{earlier}, {rate:,.0f} images/s -> {shown(target)} ({named})"


def _accuracy(job: Job, done: Done) -> dict[str, Any] | None:
    if done.tally.confusion is None:
        return None
    from serving.accuracy import accuracy

    return accuracy(done.tally.confusion, len(job.format.columns.classes))


def report_lines(job: Job, done: Done) -> list[str]:
    """What the screen shows beside the closing line: what was skipped, drift, and accuracy where labels are known."""
    lines = []
    skipped, measured, drift = done.tally.unreadable, _accuracy(job, done), job.drift(done)
    if skipped:
        lines.append(f"skipped {len(skipped):,} of {job.source.rows:,} images, unreadable; the sidecar lists them all:")
        lines += [f"  {why}" for _, why in skipped[:MAX_SHOWN_SKIPPED]]
    if drift is not None:
        unknown = "; without labels no accuracy is claimed" if measured is None else ""
        lines.append(drift.sentence + unknown)
    if measured is not None:
        from serving.accuracy import accuracy_lines

        lines += accuracy_lines(measured)
    return lines
