"""execute: cached or executed; never run on a refusal, on damage or after a failure."""

from __future__ import annotations

import errno
import functools
import shutil

import pytest

from pipeline.engine.execute import Execution, execute, resolve
from pipeline.engine.outcome import Outcome, exit_code
from pipeline.engine.step import Step
from tests.failing_files import fail_to_open
from tests.pipeline.toys import count, watch


def kinds(made) -> list[str]:
    return [outcome.outcome for outcome in made.values()]


def test_first_run_executes_and_second_finds(toy):
    assert kinds(toy.run()) == ["executed"] * 3
    again = toy.run()
    assert kinds(again) == ["cached"] * 3
    assert again["publish"].reasons == ("3 is published",)
    assert (toy.folder / "world" / "executed").read_text() == "count "


def test_step_with_up_to_date_hook_is_never_taken_from_the_store(toy):
    toy.run()
    (toy.folder / "place" / "published").unlink()
    # The same run number again, as after a history that was deleted.
    assert kinds(toy.run()) == ["cached", "cached", "executed"]
    assert (toy.folder / "place" / "published").read_text() == "3"


def test_exit_of_beam_over_its_arguments_is_a_failure(toy, monkeypatch):
    @functools.wraps(count.run)
    def leave(params, context, out):
        raise SystemExit(0)

    monkeypatch.setattr(count, "run", leave)
    made = toy.run()
    assert kinds(made) == ["failed", "skipped", "skipped"]
    assert exit_code(made) == 2


def test_prepared_source_is_found_on_the_second_run(toy):
    # Before the first run the world is not there: its fingerprint is that of the world which prepare made.
    number = toy.steps()[0]
    assert number.component.fingerprint(number.params, toy.context) is None
    toy.run()
    assert resolve(number, {}, toy.store, toy.context).outcome == "cached"


def test_changed_source_executes_again(toy):
    toy.run()
    (toy.folder / "world" / "state").write_text("changed")
    assert kinds(toy.run()) == ["executed", "cached", "cached"]


def test_fingerprint_that_depends_on_an_input_changes_the_key(toy):
    made = toy.run()
    file = toy.folder / "outside"
    watched = Step(watch, number=toy.steps()[0])

    def ran() -> str:
        return execute(watched, made, toy.store, Execution(toy.context)).outcome

    assert [ran(), ran()] == ["executed", "cached"]
    file.write_text("3")
    assert ran() == "cached"
    file.write_text("5")
    assert resolve(watched, made, toy.store, toy.context) is None
    assert [ran(), ran()] == ["executed", "cached"]


def test_source_that_changes_while_it_is_read_is_not_committed(toy, monkeypatch):
    real = count.run

    @functools.wraps(count.run)
    def unsteady(params, context, out):
        (context.models / "state").write_text("changed meanwhile")
        return real(params, context, out)

    monkeypatch.setattr(count, "run", unsteady)
    made = toy.run()
    assert made["count"].outcome == "failed"
    assert "reads changed while it ran: wait until" in made["count"].reasons[0]
    assert not (toy.store.root / "artifacts").exists()


def test_identical_output_stops_a_rebuild(toy):
    toy.run(value=3)
    made = toy.run(value=5)
    # 3 and 5 leave the same remainder, but the gate takes the number itself: it runs, and what it makes is the same.
    assert kinds(made)[:2] == ["executed", "executed"]
    assert made["gate"].sha256 != toy.run(value=5, limit=11)["gate"].sha256


def test_deleted_artifact_is_made_again_alone(toy):
    made = toy.run()
    shutil.rmtree(toy.artifact(made["count"]))
    assert kinds(toy.run()) == ["executed", "cached", "cached"]


@pytest.mark.parametrize("file", ["record.json", "payload/number.json"])
@pytest.mark.parametrize("content", ["", "[]", "{}"])
def test_artifact_that_cannot_be_read_is_made_again(toy, file, content):
    made = toy.run()
    (toy.artifact(made["gate"]) / file).write_text(content)
    again = toy.run()
    assert kinds(again) == ["cached", "executed", "cached"]
    assert toy.store.by_name(again["gate"].artifact_name).damage() is None


def test_no_step_runs_on_a_refusal(toy):
    made = toy.run(value=11)
    assert kinds(made) == ["executed", "executed", "refused"]
    assert not made["gate"].passed
    assert made["publish"].reasons == ("refused by gate: 11 > 10",)
    assert not (toy.folder / "place").exists()
    assert exit_code(made) == 3
    # And the refusal is remembered like everything else.
    assert kinds(toy.run(value=11)) == ["cached", "cached", "refused"]


def test_refusal_is_passed_on_with_its_reasons(toy):
    made = toy.run()
    message = ("refused by elsewhere: too little",)
    outcome = execute(
        toy.steps()[2], {**made, "gate": Outcome("gate", "refused", reasons=message)}, toy.store, Execution(toy.context)
    )
    assert (outcome.outcome, outcome.reasons) == ("refused", message)


def test_step_is_cached_if_prepare_restores_the_data(toy):
    toy.run()
    (toy.folder / "world" / "state").unlink()
    assert kinds(toy.run()) == ["cached"] * 3
    assert (toy.folder / "world" / "executed").read_text() == "count "


def test_failure_is_an_outcome_and_later_steps_are_skipped(toy):
    made = toy.run(value=-1)
    assert kinds(made) == ["executed", "failed", "skipped"]
    assert made["gate"].reasons == ("ValueError: negative",)
    assert made["publish"].reasons == ("gate failed",)
    assert exit_code(made) == 1
    assert not list((toy.store.root / ".staging").iterdir())


def test_interruption_has_its_exit_code(toy, monkeypatch):
    @functools.wraps(count.run)
    def interrupt(params, context, out):
        raise KeyboardInterrupt

    monkeypatch.setattr(count, "run", interrupt)
    made = toy.run()
    assert kinds(made) == ["failed", "skipped", "skipped"]
    assert exit_code(made) == 130


@pytest.mark.parametrize("damage", ["changed", "record"])
def test_damaged_input_is_refused_by_name(toy, damage):
    made = toy.run()
    folder = toy.artifact(made["count"])
    if damage == "changed":
        (folder / "payload" / "number.json").write_text('{"value": 4, "passed": true, "reasons": []}')
    else:
        (folder / "record.json").unlink()
    judged = toy.steps(limit=12)[1]
    outcome = execute(judged, {"count": made["count"]}, toy.store, Execution(toy.context))
    assert outcome.outcome == "refused"
    assert str(folder) in outcome.reasons[0]
    assert "number.json was changed" in outcome.reasons[0] or "record is gone" in outcome.reasons[0]
    assert exit_code({"gate": outcome}) == 3


@pytest.mark.parametrize("name", ["record.json", "number.json"])
def test_artifact_that_cannot_be_read_at_the_moment_is_not_made_again(toy, monkeypatch, name):
    made = toy.run()
    number = toy.steps()[0]
    fail_to_open(monkeypatch, name, errno.EIO)
    outcome = execute(number, {}, toy.store, Execution(toy.context))
    assert (outcome.outcome, outcome.exit_code) == ("failed", 1)
    assert f"{name} cannot be read or written (Input/output error)" in outcome.reasons[0]
    monkeypatch.undo()
    assert execute(number, {}, toy.store, Execution(toy.context)).sha256 == made["count"].sha256
    assert (toy.folder / "world" / "executed").read_text() == "count "
