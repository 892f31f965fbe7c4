"""index: every run, newest first, what serves marked, and the accuracy of those that judged a model."""

from __future__ import annotations

import fcntl
import functools
import json
import os
from dataclasses import replace

import pytest

from pipeline.history import History
from pipeline.outcome import Outcome
from pipeline.report import index, over_time
from pipeline.report.index import write_index
from pipeline.store import Store
from serving.files import replace_json
from serving.history import Event, Evidence, append_event, read_history
from serving.locks import locked
from tests.pipeline.report.conftest import record_of
from tests.pipeline.report.test_card import SCRIPT, Page

FIGURES = {
    "bundle": "ab",
    "rows": 100,
    "correct": 97,
    "accuracy": 0.97,
    "interval": [0.9155, 0.9897],
    "min_accuracy": 0.9,
}


@pytest.fixture
def history(tmp_path):
    folder = tmp_path / "runs"
    (folder / "history").mkdir(parents=True)
    (folder / "reports").mkdir()
    return History(folder)


def add(history, run, verdict, judged=True, figures=FIGURES, reasons=("said so",), found=False, **told):
    """`found`: the run found its bundle serving already."""
    evaluated = Outcome("evaluate", "executed" if judged else "cached", passed=verdict != "refused", reasons=reasons)
    made = {"evaluate": evaluated}
    if verdict == "promoted":
        said = ("m version 7 already serves",) if found else ("m version 7 serves now", *reasons)
        made["promote"] = Outcome("promote", "cached" if found else "executed", passed=True, reasons=said)
    record = record_of(run, made, history.root, verdict, **told)
    history.finish(replace(record, figures=figures, folder=os.getcwd()))
    (history.root / "reports" / f"{run}.html").write_text("")


def written(history):
    return Page(write_index(Store(history.root)).read_text(encoding="utf-8"))


def serve(history, run, version, sha256="ab", before=(None, None), action="promote"):
    """Moves the pointer, by a move that is on record."""
    folder = history.root.parent / "models" / "mnist"
    folder.mkdir(parents=True, exist_ok=True)
    evidence = Evidence(run, "", "", 0.97, "", "")
    sequence = len(read_history(folder / "history.jsonl").events) + 1
    event = Event(sequence, action, "2026-01-02", "u", "h", False, *before, version, sha256, "", evidence)
    append_event(folder / "history.jsonl", event)
    replace_json(folder / "promoted.json", {"version": version, "sha256": sha256, "event": event.to_json()})


def test_runs_are_listed_newest_first_with_links_to_their_cards(history):
    for run, verdict in (("0009", "promoted"), ("0010", "refused"), ("0011", "failed")):
        add(history, run, verdict)
    (history.root / "reports" / "0009.html").unlink()
    page = written(history)
    links = [link for link in page.values("href") if link.startswith("reports")]
    assert links == ["reports/0011.html", "reports/0010.html"]
    order = [page.text.index(f"{run} {verdict}") for run, verdict in (("0011", "failed"), ("0010", "refused"))]
    assert order == sorted(order)
    assert "0009 promoted" in page.text
    assert "evaluate: said so" in page.text


def test_run_whose_model_serves_is_marked_and_no_other(history):
    add(history, "0001", "promoted")
    add(history, "0002", "promoted")
    add(history, "0003", "promoted", model="other")
    serve(history, "0001", 7)
    text = written(history).text
    assert "serves now, version 7" in text.split("0001 promoted")[1]
    assert text.count("serves now") == 1


def test_another_folder_of_runs_has_another_run_of_that_number(history):
    add(history, "0001", "refused", figures={**FIGURES, "bundle": "cd"})
    serve(history, "0001", 1)
    assert "serves now" not in written(history).text


def test_what_serves_is_marked_from_wherever_the_list_is_written(history, monkeypatch):
    monkeypatch.chdir(history.root.parent)
    add(history, "0001", "promoted", models="models")
    serve(history, "0001", 1)
    monkeypatch.chdir("/")
    assert "serves now, version 1" in written(history).text


def test_damaged_record_is_left_out_and_the_others_are_there(history):
    add(history, "0001", "promoted")
    add(history, "0002", "promoted")
    (history.folder / "0001.json").write_text("{")
    page = written(history)
    assert "0002 promoted" in page.text
    assert "1 of 2 runs, the newest" in page.text


@pytest.mark.parametrize(
    "damage",
    [
        {"config": {}},
        {"config": None},
        {"config": {"model": 3, "models": "models", "ingest": {"dataset": "mnist"}, "train": {"preset": "cnn"}}},
        {"began": 3},
        {"figures": {"accuracy": 0.5}},
        {"figures": {**FIGURES, "interval": ["low", "high"]}},
    ],
)
def test_record_that_somebody_wrote_over_takes_no_other_with_it(history, damage):
    add(history, "0001", "promoted")
    add(history, "0002", "promoted")
    file = history.folder / "0001.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **damage}))
    page = written(history)
    assert "0002 promoted" in page.text
    assert "0001 promoted" not in page.text


def test_list_does_not_grow_with_all_that_ever_ran(history, monkeypatch):
    monkeypatch.setattr("pipeline.report.index.MOST_RUNS", 2)
    for run in ("0001", "0002", "0003"):
        add(history, run, "promoted")
    text = written(history).text
    assert "0001 promoted" not in text
    assert "2 of 3 runs" in text


def test_damaged_pointer_marks_nothing(history):
    add(history, "0001", "promoted")
    serve(history, "0001", 1)
    (history.root.parent / "models" / "mnist" / "promoted.json").write_text("{")
    assert "serves now" not in written(history).text


def charts(page):
    return [label for label in page.values("aria-label") if label.startswith("accuracy of")]


def test_accuracy_over_time_is_of_every_run_that_made_something_and_whose_accuracy_is_known(history):
    add(history, "0001", "promoted")
    add(history, "0002", "promoted", judged=False)
    add(history, "0003", "failed", figures={})
    add(history, "0004", "refused", figures={**FIGURES, "accuracy": 0.5, "interval": [0.4, 0.6], "min_accuracy": None})
    add(history, "0005", "promoted", judged=False, found=True)
    page = written(history)
    assert charts(page) == ["accuracy of 3 judged models; run 0004: 0.5000"]
    assert "0.9700 0.9155–0.9897" in page.text


def test_only_the_newest_judged_models_are_drawn(history, monkeypatch):
    monkeypatch.setattr(over_time, "MOST_POINTS", 2)
    for run in ("0001", "0002", "0003"):
        add(history, run, "promoted")
    (label,) = [label for label in written(history).values("aria-label") if label.startswith("accuracy of")]
    assert label == "accuracy of 2 judged models; run 0003: 0.9700"


def test_drawing_that_fails_does_not_take_the_list_with_it(history, monkeypatch, caplog):
    def fail(points, name):
        raise MemoryError

    monkeypatch.setattr(over_time, "accuracy_over_time", fail)
    add(history, "0001", "promoted")
    add(history, "0002", "promoted")
    assert "0001 promoted" in written(history).text
    assert "the accuracy of mnist over time could not be drawn" in caplog.messages


def test_accuracy_is_drawn_anew_where_the_runs_or_the_drawing_changed_and_else_remembered(history, monkeypatch):
    drawn = []

    @functools.wraps(over_time.accuracy_over_time)
    def draw(points, name):
        drawn.append([point.run for point in points])
        return "<svg></svg>"

    monkeypatch.setattr(over_time, "accuracy_over_time", draw)
    add(history, "0001", "promoted")
    add(history, "0002", "promoted")
    written(history)
    written(history)
    assert drawn == [["0001", "0002"]]
    monkeypatch.setattr(over_time, "source_digests", lambda module: {module: "changed"})
    written(history)
    assert drawn == [["0001", "0002"]] * 2
    add(history, "0003", "promoted")
    written(history)
    assert drawn[2:] == [["0001", "0002", "0003"]]


def test_comparisons_are_listed_newest_first(history):
    folder = history.root / "comparisons"
    folder.mkdir()
    for name in ("0002.html", "0010.html", "0001.html", "0011.json"):
        (folder / name).write_text("")
    links = [link for link in written(history).values("href") if link.startswith("comparisons")]
    assert links == ["comparisons/0010.html", "comparisons/0002.html", "comparisons/0001.html"]


def test_nobody_else_writes_the_list_from_reading_the_records_until_it_is_written(history, monkeypatch):
    asked = []

    def alone(call):
        def watched(*given):
            asked.append(call.__name__)
            with pytest.raises(BlockingIOError), locked(history.folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
                pass
            return call(*given)

        return watched

    monkeypatch.setattr(History, "runs", alone(History.runs))
    monkeypatch.setattr(index, "replace_text", alone(index.replace_text))
    write_index(Store(history.root))
    assert asked == ["runs", "replace_text"]


def test_charts_stand_behind_the_table_and_one_point_is_no_chart(history):
    for run in ("0001", "0002"):
        add(history, run, "promoted")
    add(history, "0003", "promoted", model="other")
    page = written(history)
    assert charts(page) == ["accuracy of 2 judged models; run 0002: 0.9700"]
    assert page.text.index("0001 promoted") < page.text.index("mnist: accuracy over time")


def test_run_whose_version_was_rolled_back_from_says_so_and_no_other(history):
    add(history, "0001", "promoted")
    add(history, "0002", "promoted", figures={**FIGURES, "bundle": "cd"})
    serve(history, "0001", 1)
    serve(history, "0002", 2, "cd", (1, "ab"))
    assert "rolled back" not in written(history).text
    serve(history, "0001", 1, "ab", (2, "cd"), "rollback")
    text = written(history).text
    assert "0002 promoted version 2, rolled back mnist" in text
    assert "0001 promoted serves now, version 1 mnist" in text
    assert text.count("rolled back") == 1
    serve(history, "0002", 2, "cd", (1, "ab"))
    text = written(history).text
    assert "0002 promoted serves now, version 2" in text
    assert "0001 promoted version 1 mnist" in text
    assert "rolled back" not in text


def test_run_that_found_its_bundle_serving_is_no_other_promotion(history):
    add(history, "0001", "promoted")
    add(history, "0002", "promoted", found=True)
    text = written(history).text
    assert "0002 served already mnist" in text
    assert "m version 7 already serves" in text
    assert "0001 promoted mnist" in text
    # What served when the run ended may have changed since.
    assert "m version 7 serves now" not in text


def test_first_reason_is_shown_and_the_others_unfold(history):
    add(history, "0001", "refused", reasons=("first is wrong", "second is wrong\n  and more"))
    add(history, "0002", "refused", reasons=("alone",))
    page = written(history)
    assert [tag for tag, _ in page.elements if tag in ("details", "summary")] == ["details", "summary"]
    html = (history.root / "index.html").read_text(encoding="utf-8")
    assert "<summary>evaluate: first is wrong</summary><p>second is wrong</p><p>  and more</p></details>" in html


def test_index_of_runs_without_a_figure_has_no_plot(history):
    add(history, "0001", "failed", figures={})
    assert "accuracy over time" not in written(history).text


def test_what_comes_from_outside_is_text(history):
    for run in ("0001", "0002"):
        add(history, run, "refused", model=SCRIPT, reasons=(SCRIPT, SCRIPT))
    page = written(history)
    assert {tag for tag, _ in page.elements} & {"script", "img"} == set()
    # In two rows each the model and two reasons, and the heading of the chart.
    assert page.text.count(SCRIPT) == 2 * 3 + 1
    assert [target for target in page.values("href") if not target.startswith("reports/")] == ["data:,"]
