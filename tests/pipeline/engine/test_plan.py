"""plan: the steps in sequence as Beam transforms, each counted."""

from __future__ import annotations

import functools
import tempfile
from collections import Counter

from pipeline.engine.execute import Execution
from pipeline.engine.plan import METRICS, run_steps
from tests.pipeline.toys import count


def counters(result) -> dict[str, int]:
    found = result.metrics().query()["counters"]
    counts: Counter[str] = Counter()
    for metric in found:
        if metric.key.metric.namespace == METRICS:
            counts[metric.key.metric.name] += metric.committed
    return counts


def test_steps_run_in_order_and_each_is_counted(toy):
    made, result = run_steps(toy.steps(), {}, toy.store, Execution(toy.context))
    assert [outcome.outcome for outcome in made.values()] == ["executed"] * 3
    assert counters(result) == {"count": 1, "gate": 1, "publish": 1, "executed": 3}


def test_earlier_outcomes_are_kept(toy):
    first, _ = run_steps(toy.steps(), {}, toy.store, Execution(toy.context))
    given = {"count": first["count"]}
    made, result = run_steps(toy.steps(limit=7)[1:], given, toy.store, Execution(toy.context))
    assert made["count"] == first["count"]
    assert counters(result) == {"gate": 1, "publish": 1, "executed": 1, "cached": 1}


def test_refusal_and_failure_travel_as_data(toy):
    refused, _ = run_steps(toy.steps(value=11), {}, toy.store, Execution(toy.context))
    assert refused["publish"].outcome == "refused"
    failed, result = run_steps(toy.steps(value=-1), {}, toy.store, Execution(toy.context))
    assert failed["gate"].reasons == ("ValueError: negative",)
    assert counters(result)["skipped"] == 1


def test_temporary_files_of_libraries_do_not_outlive_the_run(toy, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    real = count.run

    @functools.wraps(real)
    def run(params, context, out):
        with tempfile.NamedTemporaryFile(delete=False) as left:
            left.write(b"generated code")
        return real(params, context, out)

    monkeypatch.setattr(count, "run", run)
    made, _ = run_steps(toy.steps(), {}, toy.store, Execution(toy.context))
    assert made["count"].outcome == "executed"
    assert list(scratch.iterdir()) == []
    assert tempfile.gettempdir() == str(scratch)
