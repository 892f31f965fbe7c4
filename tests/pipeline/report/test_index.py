"""index: every run, newest first, with the serving one marked."""

from __future__ import annotations

import fcntl
import json

import pytest

from pipeline.engine.store import Store
from pipeline.records.run_history import RunHistory
from pipeline.report import index
from pipeline.report.index import write_index
from serving.locks import locked
from tests.pipeline.report.html_page import SCRIPT
from tests.pipeline.report.listed_runs import FIGURES, add, serve, written


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
    assert "evaluate: below the limit" in page.text


def test_only_the_run_whose_model_serves_is_marked(history):
    add(history, "0001", "promoted")
    add(history, "0002", "promoted")
    add(history, "0003", "promoted", model="other")
    serve(history, "0001", 7)
    text = written(history).text
    assert "serves now, version 7" in text.split("0001 promoted")[1]
    assert text.count("serves now") == 1


def test_run_with_the_same_number_in_another_folder_is_not_marked(history):
    add(history, "0001", "refused", figures={**FIGURES, "bundle": "cd"})
    serve(history, "0001", 1)
    assert "serves now" not in written(history).text


def test_serving_run_is_marked_from_any_working_directory(history, monkeypatch):
    monkeypatch.chdir(history.root.parent)
    add(history, "0001", "promoted", models="models")
    serve(history, "0001", 1)
    monkeypatch.chdir("/")
    assert "serves now, version 1" in written(history).text


def test_damaged_record_is_left_out_and_the_others_are_listed(history):
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
def test_record_with_wrong_values_is_left_out_and_the_others_are_listed(history, damage):
    add(history, "0001", "promoted")
    add(history, "0002", "promoted")
    file = history.folder / "0001.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **damage}))
    page = written(history)
    assert "0002 promoted" in page.text
    assert "0001 promoted" not in page.text


def test_only_the_newest_runs_are_listed(history, monkeypatch):
    monkeypatch.setattr("pipeline.report.index.MAX_RUNS", 2)
    for run in ("0001", "0002", "0003"):
        add(history, run, "promoted")
    text = written(history).text
    assert "0001 promoted" not in text
    assert "2 of 3 runs" in text


def test_no_run_is_marked_if_the_pointer_is_damaged(history):
    add(history, "0001", "promoted")
    serve(history, "0001", 1)
    (history.root.parent / "models" / "mnist" / "promoted.json").write_text("{")
    assert "serves now" not in written(history).text


def test_comparisons_are_listed_newest_first(history):
    folder = history.root / "comparisons"
    folder.mkdir()
    for name in ("0002.html", "0010.html", "0001.html", "0011.json"):
        (folder / name).write_text("")
    links = [link for link in written(history).values("href") if link.startswith("comparisons")]
    assert links == ["comparisons/0010.html", "comparisons/0002.html", "comparisons/0001.html"]


def test_history_is_locked_while_the_list_is_written(history, monkeypatch):
    calls = []

    def require_lock(call):
        def checked(*given):
            calls.append(call.__name__)
            with pytest.raises(BlockingIOError), locked(history.folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
                pass
            return call(*given)

        return checked

    monkeypatch.setattr(RunHistory, "runs", require_lock(RunHistory.runs))
    monkeypatch.setattr(index, "replace_text", require_lock(index.replace_text))
    write_index(Store(history.root))
    assert calls == ["runs", "replace_text"]


def test_only_the_run_of_a_version_that_was_rolled_back_says_so(history):
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


def test_run_whose_bundle_served_before_is_not_a_promotion(history):
    add(history, "0001", "promoted")
    add(history, "0002", "promoted", found=True)
    text = written(history).text
    assert "0002 served already mnist" in text
    assert "m version 7 already serves" in text
    assert "0001 promoted mnist" in text
    # Another version may serve now.
    assert "m version 7 serves now" not in text


def test_first_reason_is_shown_and_the_others_are_details(history):
    add(history, "0001", "refused", reasons=("first is wrong", "second is wrong\n  and more"))
    add(history, "0002", "refused", reasons=("alone",))
    page = written(history)
    assert [tag for tag, _ in page.elements if tag in ("details", "summary")] == ["details", "summary"]
    html = (history.root / "index.html").read_text(encoding="utf-8")
    assert "<summary>evaluate: first is wrong</summary><p>second is wrong</p><p>  and more</p></details>" in html


def test_text_from_outside_is_escaped(history):
    for run in ("0001", "0002"):
        add(history, run, "refused", model=SCRIPT, reasons=(SCRIPT, SCRIPT))
    page = written(history)
    assert {tag for tag, _ in page.elements} & {"script", "img"} == set()
    # The model and two reasons in each of two rows, and the heading of the history plot.
    assert page.text.count(SCRIPT) == 2 * 3 + 1
    assert [target for target in page.values("href") if not target.startswith("reports/")] == ["data:,"]
