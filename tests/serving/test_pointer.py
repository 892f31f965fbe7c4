"""pointer: promotion and rollback are one move each, on record, and mended where a crash came between."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path

import pytest

from serving import files
from serving.errors import BeamlineError, BundleError, InputError
from serving.history import read_history
from serving.interrupts import Terminated
from serving.pointer import held
from tests.conftest import ROOT
from tests.serving.tiny_bundle import evidence, publish


def roll_back(registry, version=None, reason="a trial"):
    with held(registry, "tiny") as pointer:
        return pointer.roll_back(version, reason)


def versions(registry):
    return [event.to_version for event in registry.history("tiny").events]


def written(registry):
    return read_history(registry.root / "tiny/history.jsonl")


def test_promotions_and_rollbacks_are_on_record_in_their_order(registry, seal):
    publish(registry, seal(), run="0001", accuracy=0.91)
    publish(registry, seal(seed=1), run="0002", accuracy=0.92)
    rolled = roll_back(registry, reason="too slow at night")
    assert (rolled.version, registry.promoted("tiny")) == (1, rolled)
    first, second, third = written(registry).events
    assert [(e.sequence, e.action, e.from_version, e.to_version) for e in (first, second, third)] == [
        (1, "promote", None, 1),
        (2, "promote", 1, 2),
        (3, "rollback", 2, 1),
    ]
    assert third.reason == "too slow at night"
    assert (third.bundle_sha256, third.evidence) == (first.bundle_sha256, first.evidence)
    assert (second.evidence.run, second.evidence.accuracy) == ("0002", 0.92)


def test_rollback_to_a_version_and_back_again(registry, seal):
    for seed in range(3):
        publish(registry, seal(seed=seed))
    assert roll_back(registry, 1).version == 1
    assert roll_back(registry, 3).version == 3
    assert versions(registry) == [1, 2, 3, 1, 3]


def test_rollbacks_one_after_the_other_go_further_back(registry, seal):
    for seed in range(3):
        publish(registry, seal(seed=seed))
    assert [roll_back(registry).version, roll_back(registry).version] == [2, 1]
    with pytest.raises(InputError, match=r"none that served before and was not rolled back from; 1, 2, 3 served"):
        roll_back(registry)


@pytest.mark.parametrize(
    ("version", "words"),
    [(None, "none that served before"), (1, "version 1 serves already"), (7, "has no version 7; 1 served so far")],
)
def test_rollback_that_cannot_be_is_refused_and_changes_nothing(registry, sealed, version, words):
    publish(registry, sealed)
    before = {file: file.read_bytes() for file in registry.root.rglob("*") if file.is_file()}
    with pytest.raises(InputError, match=words):
        roll_back(registry, version)
    assert {file: file.read_bytes() for file in registry.root.rglob("*") if file.is_file()} == before


def test_model_without_a_history_has_nothing_to_go_back_to(registry):
    with pytest.raises(InputError, match="has no history, so there is nothing to go back to"):
        roll_back(registry, 1)


def test_version_that_was_never_promoted_is_no_target(registry, seal):
    publish(registry, seal())
    shutil.copytree(seal(seed=1).path, registry.root / "tiny/2")
    with pytest.raises(InputError, match="has no version 2"):
        roll_back(registry, 2)


def test_rollback_to_what_is_gone_or_damaged_is_refused(registry, seal):
    for seed in range(3):
        publish(registry, seal(seed=seed))
    (registry.root / "tiny/1/model.onnx").write_bytes(b"damaged")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        roll_back(registry, 1)
    shutil.rmtree(registry.root / "tiny/2")
    with pytest.raises(InputError, match="2 is gone"):
        roll_back(registry)
    assert versions(registry) == [1, 2, 3]
    assert registry.promoted("tiny").version == 3


def test_rollback_to_a_version_under_whose_number_another_bundle_stands_is_refused(registry, seal):
    publish(registry, seal())
    publish(registry, seal(seed=1))
    shutil.rmtree(registry.root / "tiny/1")
    shutil.copytree(seal(seed=2).path, registry.root / "tiny/1")
    with pytest.raises(BundleError, match=r"manifest\.json"):
        roll_back(registry)


def test_bundle_that_does_not_answer_its_sample_is_not_promoted(registry, seal):
    from serving import bundle

    publish(registry, seal())
    second = seal(seed=1)
    shutil.copy(seal(seed=2).path / "sample/probabilities.npy", second.path / "sample/probabilities.npy")
    (second.path / "manifest.json").unlink()
    bundle.write_manifest(second.path, second.manifest)
    with pytest.raises(BundleError, match="answered differently"):
        publish(registry, bundle.load(second.path))
    assert registry.promoted("tiny").version == 1
    assert versions(registry) == [1]


def test_lost_pointer_is_not_guessed(registry, seal):
    publish(registry, seal())
    publish(registry, seal(seed=1))
    (registry.root / "tiny/promoted.json").unlink()
    with pytest.raises(BundleError, match=r"is gone, version 2 served last: .* rollback tiny --to 2 --reason"):
        publish(registry, seal(seed=2))
    assert registry.promoted("tiny") is None
    assert roll_back(registry, 2).version == 2


def test_damaged_pointer_is_what_the_history_says(registry, seal):
    publish(registry, seal())
    second = publish(registry, seal(seed=1))
    (registry.root / "tiny/promoted.json").write_text("{")
    (registry.root / "tiny/config.pbtxt").unlink()
    with held(registry, "tiny") as pointer:
        assert pointer.champion() == second
    assert registry.promoted("tiny") == second
    assert registry.serving("tiny", second.sha256) == second


def test_damaged_pointer_without_a_history_is_not_guessed(registry, seal):
    publish(registry, seal())
    (registry.root / "tiny/promoted.json").write_text("{")
    (registry.root / "tiny/history.jsonl").unlink()
    with pytest.raises(BundleError, match=r"promoted\.json is damaged"):
        publish(registry, seal(seed=1))


def test_damaged_pointer_beside_a_damaged_history_is_not_guessed(registry, seal):
    publish(registry, seal())
    publish(registry, seal(seed=1))
    (registry.root / "tiny/promoted.json").write_text("{")
    lines = registry.root / "tiny/history.jsonl"
    lines.write_bytes(lines.read_bytes().splitlines(keepends=True)[0] + b"damaged\n")
    with pytest.raises(BundleError, match=r"promoted\.json is damaged"):
        publish(registry, seal(seed=2))
    assert roll_back(registry, 1).version == 1


def test_gap_in_the_history_is_told_until_a_person_goes_on_without(registry, seal):
    for seed in range(3):
        publish(registry, seal(seed=seed))
    lines = registry.root / "tiny/history.jsonl"
    whole = lines.read_bytes().splitlines(keepends=True)
    for kept, first in (([whole[0], b"damaged\n", whole[2]], 2), ([whole[0], whole[2]], 2), ([whole[2]], 1), ([], 1)):
        lines.write_bytes(b"".join(kept))
        with held(registry, "tiny") as pointer:
            assert f"moves, the first is number {first}: put them back" in pointer.gap()
    with held(registry, "tiny") as pointer:
        pointer.promote(seal(seed=3), evidence(), "I know", by_hand=True)
    with held(registry, "tiny") as pointer:
        assert pointer.gap() is None
        assert [event.sequence for event in written(registry).events] == [3, 4]


def test_move_that_only_the_pointer_knows_is_not_lost_with_the_next_one(registry, seal):
    publish(registry, seal())
    publish(registry, seal(seed=1))
    roll_back(registry, reason="bad at night")
    (registry.root / "tiny/history.jsonl").unlink()
    with held(registry, "tiny") as pointer:
        pointer.promote(seal(seed=2), evidence(), "I know", by_hand=True)
    assert [event.reason for event in written(registry).events] == ["bad at night", "I know"]


def test_older_pointer_that_was_put_back_is_told_and_any_move_settles_it(registry, seal):
    publish(registry, seal())
    older = (registry.root / "tiny/promoted.json").read_bytes()
    publish(registry, seal(seed=1))
    (registry.root / "tiny/promoted.json").write_bytes(older)
    with held(registry, "tiny") as pointer:
        assert "promoted.json is older than" in pointer.gap()
    assert roll_back(registry, 1).event.sequence == 3
    with held(registry, "tiny") as pointer:
        assert pointer.gap() is None


def test_versions_without_pointer_and_history_are_no_new_model(registry, seal):
    publish(registry, seal())
    for name in ("promoted.json", "history.jsonl"):
        (registry.root / "tiny" / name).unlink()
    with held(registry, "tiny") as pointer:
        assert pointer.gap() is None
    shutil.copytree(seal(seed=1).path, registry.root / "tiny/2")
    with held(registry, "tiny") as pointer:
        assert "holds version 2 and has no history" in pointer.gap()


def test_number_of_a_version_that_is_gone_is_not_given_again(registry, seal):
    for seed in range(2):
        publish(registry, seal(seed=seed))
    roll_back(registry)
    shutil.rmtree(registry.root / "tiny/2")
    assert publish(registry, seal(seed=2)).version == 3


def test_line_that_was_edited_is_not_written_twice(registry, seal):
    publish(registry, seal())
    lines = registry.root / "tiny/history.jsonl"
    lines.write_bytes(lines.read_bytes().replace(b"because it is good", b"because it is better"))
    with held(registry, "tiny"):
        pass
    assert len(lines.read_bytes().splitlines()) == 1


def test_what_cannot_be_recorded_is_not_done(registry, seal):
    publish(registry, seal())
    publish(registry, seal(seed=1))
    lines = registry.root / "tiny/history.jsonl"
    with held(registry, "tiny") as pointer:
        lines.unlink()
        lines.mkdir()
        with pytest.raises(IsADirectoryError):
            pointer.roll_back(1, "a trial")
    assert registry.promoted("tiny").version == 2


def test_what_fails_after_the_move_says_that_it_moved(registry, seal, monkeypatch):
    publish(registry, seal())
    publish(registry, seal(seed=1))

    def full(file, event):
        raise OSError(28, "No space left on device", str(file))

    with monkeypatch.context() as patched:
        patched.setattr("serving.pointer.append_event", full)
        with pytest.raises(
            BeamlineError, match=r"version 1 serves now, but .*history\.jsonl could not be written \(No"
        ):
            roll_back(registry)
    assert registry.promoted("tiny").version == 1
    with held(registry, "tiny"):
        assert [event.sequence for event in written(registry).events] == [1, 2, 3]


def test_stop_between_pointer_and_history_waits_for_both(registry, seal, monkeypatch, handled_signals):
    publish(registry, seal())
    publish(registry, seal(seed=1))
    real = files.append_line

    def stopped(*arguments):
        signal.raise_signal(signal.SIGTERM)
        real(*arguments)

    monkeypatch.setattr("serving.history.append_line", stopped)
    with pytest.raises(Terminated):
        roll_back(registry)
    assert registry.promoted("tiny").version == 1
    assert written(registry).last.to_version == 1


def test_damaged_version_that_serves_can_be_named_to_be_refused_and_not_as_settled(registry, seal):
    first = publish(registry, seal())
    (first.path / "model.onnx").write_bytes(b"damaged")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        roll_back(registry, 1)


def test_name_of_the_file_for_tensorflow_serving_is_no_model(registry, sealed):
    for name in ("models.config", "Models.Config"):
        with pytest.raises(InputError, match="is no model name"):
            publish(registry, sealed, name)


def test_unreadable_pointer_of_another_model_is_its_own_trouble(registry, seal):
    publish(registry, seal())
    publish(registry, seal(seed=1))
    (registry.root / "other/promoted.json").mkdir(parents=True)
    assert roll_back(registry).version == 1
    with pytest.raises(BundleError, match=r"other/promoted\.json cannot be read"):
        registry.promoted("other")


def test_first_move_that_was_cut_off_before_its_line_is_written_later(registry, sealed):
    first = publish(registry, sealed)
    (registry.root / "tiny/history.jsonl").unlink()
    with held(registry, "tiny") as pointer:
        assert pointer.gap() is None
    assert written(registry).events == (first.event,)


def test_move_that_the_pointer_did_not_make_is_not_on_record(registry, seal, monkeypatch):
    publish(registry, seal())
    before = written(registry)

    def fail(source, target):
        raise OSError("no rename")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no rename"):
        publish(registry, seal(seed=1))
    assert written(registry) == before


@pytest.mark.usefixtures("handled_signals")
def test_stop_while_the_pointer_moves_waits_until_the_move_is_on_record_and_servers_know(registry, seal, monkeypatch):
    publish(registry, seal())
    replace = os.replace

    def stopped(source, target):
        if Path(target).name == "promoted.json":
            signal.raise_signal(signal.SIGINT)
        replace(source, target)

    monkeypatch.setattr(os, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        publish(registry, seal(seed=1))
    now = registry.promoted("tiny")
    assert now.version == 2
    assert written(registry).last == now.event
    assert registry.serving("tiny", now.sha256) == now


CRASH = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from serving import bundle
from serving.pointer import held
from serving.registry import Registry
from tests.serving.tiny_bundle import evidence

root, sealed, action, nth = Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], int(sys.argv[5])
calls = 0

def watched(name):
    real = getattr(os, name)
    def call(*arguments, **named):
        global calls
        calls += 1
        if calls == nth:
            os._exit(9)
        return real(*arguments, **named)
    return call

for name in ("replace", "rename", "fsync"):
    setattr(os, name, watched(name))
with held(Registry(root), "tiny") as pointer:
    if action == "promote":
        pointer.promote(bundle.load(sealed), evidence("0003"), "a crash")
    else:
        pointer.roll_back(None, "a crash")
print(calls)
"""


def crashed(registry, sealed, action, nth):
    """Lets a process die at its nth change of the disk. Returns: whether it came so far."""
    command = [sys.executable, "-c", CRASH, str(ROOT), str(registry.root), str(sealed.path), action, str(nth)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 9), done.stderr
    return done.returncode == 9


@pytest.mark.exhaustive
@pytest.mark.parametrize("action", ["promote", "rollback"])
def test_death_at_any_moment_leaves_one_version_or_the_other_and_the_next_one_mends(seal, tmp_path, action):
    from serving.registry import Registry

    origin = Registry(tmp_path / "origin")
    publish(origin, seal())
    publish(origin, seal(seed=1))
    third = seal(seed=2)
    moved, nth, died = set(), 1, True
    while died:
        registry = Registry(tmp_path / f"crash-{nth}")
        shutil.copytree(origin.root, registry.root)
        died = crashed(registry, third, action, nth)
        after = registry.promoted("tiny")
        after.load()
        moved.add(after.version)
        with held(registry, "tiny") as pointer:
            assert pointer.gap() is None
        assert registry.promoted("tiny") == after
        assert written(registry).last == after.event
        assert [event.sequence for event in written(registry).events] == [1, 2, 3][: len(written(registry).events)]
        assert registry.serving("tiny", after.sha256) == after
        nth += 1
    assert moved == {2, 3 if action == "promote" else 1}
    assert nth > 10


def test_each_rename_is_between_a_flush_of_what_moves_and_one_of_the_folder(registry, seal, monkeypatch):
    publish(registry, seal())
    calls = []

    def watch(name, real):
        def call(*arguments, **named):
            where = os.readlink(f"/proc/self/fd/{arguments[0]}") if name == "fsync" else tuple(map(str, arguments[:2]))
            calls.append((name, where))
            return real(*arguments, **named)

        monkeypatch.setattr(os, name, call)

    for name in ("replace", "rename", "fsync"):
        watch(name, getattr(os, name))
    publish(registry, seal(seed=1))
    renames = [place for place, (name, _) in enumerate(calls) if name != "fsync"]
    assert len(renames) == 4
    for place in renames:
        source, target = calls[place][1]
        assert ("fsync", source) in calls[:place]
        assert calls[place + 1] == ("fsync", os.path.dirname(target))
    history = calls.index(("fsync", str(registry.root / "tiny/history.jsonl")))
    assert calls[history + 1] == ("fsync", str(registry.root / "tiny"))


def test_folder_of_a_new_model_is_on_the_disk_before_its_pointer_is_held(registry, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(os.readlink(f"/proc/self/fd/{descriptor}")))
    with held(registry, "tiny"):
        assert flushed == [str(registry.root)]


def is_locked(file):
    """Whether somebody keeps even readers of this lock away."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def test_all_of_a_model_moves_under_its_lock_and_what_tells_servers_under_that_of_all_models(
    registry, sealed, monkeypatch
):
    locked = {}

    def watch(name, real):
        def call(source, target):
            locked[Path(target).name] = (is_locked(registry.root / "tiny/.lock"), is_locked(registry.root / ".lock"))
            real(source, target)

        monkeypatch.setattr(os, name, call)

    for name in ("replace", "rename"):
        watch(name, getattr(os, name))
    publish(registry, sealed)
    assert locked == {
        "1": (True, False),
        "promoted.json": (True, False),
        "config.pbtxt": (True, True),
        "models.config": (True, True),
    }
    assert not is_locked(registry.root / "tiny/.lock")


def promote_together(barrier, answers, registry, candidate, run):
    barrier.wait()
    with held(registry, "tiny") as pointer:
        champion = pointer.champion()
        promoted = pointer.promote(candidate, evidence(run), "at once")
    answers.put((run, None if champion is None else champion.version, promoted.version))


def test_of_two_promotions_at_once_the_second_sees_the_first_as_the_champion(registry, seal):
    publish(registry, seal(), run="0001")
    context = get_context("spawn")
    barrier, answers = context.Barrier(2), context.Queue()
    processes = [
        context.Process(target=promote_together, args=(barrier, answers, registry, seal(seed=seed), run))
        for seed, run in ((1, "0002"), (2, "0003"))
    ]
    for process in processes:
        process.start()
    got = sorted((answers.get(timeout=600) for _ in processes), key=lambda answer: answer[2])
    for process in processes:
        process.join()
    assert [(champion, version) for _, champion, version in got] == [(1, 2), (2, 3)]
    events = written(registry).events
    assert [(e.sequence, e.from_version, e.to_version) for e in events] == [(1, None, 1), (2, 1, 2), (3, 2, 3)]
    assert [event.evidence.run for event in events[1:]] == [run for run, _, _ in got]


def publish_together(barrier, registry, candidate, model):
    barrier.wait()
    publish(registry, candidate, model)


def test_models_that_move_at_once_all_stand_in_the_one_file_of_tensorflow_serving(registry, seal):
    context = get_context("spawn")
    barrier = context.Barrier(4)
    models = [f"model-{number}" for number in range(4)]
    processes = [
        context.Process(target=publish_together, args=(barrier, registry, seal(seed=seed), model))
        for seed, model in enumerate(models)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    said = (registry.root / "models.config").read_text()
    assert all(f'name: "{model}"' in said for model in models)


def test_file_that_is_flushed_keeps_its_lines(tmp_path):
    files.append_line(tmp_path / "lines", "one")
    files.append_line(tmp_path / "lines", "two")
    assert (tmp_path / "lines").read_bytes() == b"one\ntwo\n"
