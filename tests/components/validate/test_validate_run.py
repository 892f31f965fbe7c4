"""validate's run: errors refuse, warnings are kept, and the artifact names the rules that were checked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.analyze import analyze
from components.artifacts.anomalies import Anomalies
from components.beam import BeamOptions
from components.run_context import RunContext
from components.validate import validate
from components.validate.validate import RULES, Params
from tests.components.statistics_by_hand import DECLARED, split, statistics
from tests.components.validate.breaches import LEAK, duplicates


def test_errors_refuse_and_are_the_reasons_and_warnings_are_kept(tmp_path):
    counted = statistics(
        duplicates(repeats={"train": 1}, leaks=30, leak_groups=(LEAK,)),
        test=split(20, 20, 20),
        train=split(60, 60, 9),
    )
    refused = validate.run(DECLARED, counted, Params(off=("drift",)), RunContext(), tmp_path)
    assert not refused.passed
    assert [anomaly.severity for anomaly in refused.found] == ["error", "warn", "warn"]
    assert [reason[-8:] for reason in refused.reasons] == [" (leaks)"]
    assert refused.summary() == "1 error, 2 warnings (leaks, class-rare, duplicates); 19 rules"
    assert Anomalies.load(tmp_path) == refused


def test_warnings_alone_pass_and_are_shown(tmp_path):
    passed = validate.run(DECLARED, statistics(train=split(60, 60, 9)), Params(), RunContext(), tmp_path)
    assert passed.passed
    assert [reason[-13:] for reason in passed.reasons] == [" (class-rare)"]
    assert passed.summary() == "1 warning (class-rare); 20 rules"
    assert Anomalies.load(tmp_path) == passed


def test_clean_set_passes(made):
    assert made.anomalies.passed
    assert made.anomalies.found == made.anomalies.reasons == ()
    assert made.anomalies.checked == RULES[:-1]
    assert made.anomalies.summary() == "no anomalies (20 rules)"


def test_rules_that_are_off_are_not_counted(made, tmp_path):
    anomalies = validate.run(made.examples, made.statistics, Params(off=("skew", "leaks")), RunContext(), tmp_path)
    assert set(RULES) - set(anomalies.checked) == {"skew", "leaks", "schema"}


@pytest.mark.parametrize("empty", ["train", "test"])
def test_empty_split_is_the_only_reason_to_refuse(made, tmp_path, empty):
    examples = replace(made.examples, blocks={**made.examples.blocks, empty: ()})
    counted, out = tmp_path / "statistics", tmp_path / "anomalies"
    counted.mkdir()
    out.mkdir()
    anomalies = validate.run(examples, analyze.run(examples, BeamOptions(), counted), Params(), RunContext(), out)
    assert anomalies.reasons == (f"{empty}: has no rows (split-empty)",)
