"""The pointer to the version that serves, changed under a lock: by a promotion or by a rollback."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from serving.bundle.bundle import Bundle, load_bundle
from serving.errors import BundleError, InputError
from serving.files import fsync_path, replace_json, replace_text
from serving.interrupts import defer_interrupts
from serving.locks import locked
from serving.process.program import PIPELINE
from serving.registry.promotion_events import (
    Action,
    Evidence,
    PromotionEvent,
    PromotionEvents,
    append_event,
    next_event,
    read_promotion_events,
)
from serving.registry.readers import owner_only_message
from serving.registry.registry import HISTORY, POINTER, Promoted, Registry, require_model_name
from serving.registry.server_files import has_text, server_files
from serving.registry.versions import add_version, is_intact, remove_incoming, require_same_dataset, versions
from serving.scoring.smoke_test import run_smoke_test

log = logging.getLogger("beamline.registry")

PROMOTE = f"`{PIPELINE} promote RUN --reason TEXT`"


@contextmanager
def lock_pointer(registry: Registry, model: str) -> Iterator[Pointer]:
    """Locks a model's pointer, and waits for another process that has locked it.

    First it completes a promotion or rollback that was killed.

    Raises: InputError: the model's name is not valid.
    """
    require_model_name(model)
    pointer = Pointer(registry, model)
    if not pointer.folder.is_dir():
        pointer.folder.mkdir(parents=True, exist_ok=True)
        fsync_path(registry.root)
    with locked(pointer.folder / ".lock"):
        pointer.repair()
        yield pointer


@dataclass(frozen=True)
class Pointer:
    """A model's pointer. Reading needs no lock; `promote`, `roll_back` and `repair` need `lock_pointer`.

    The pointer file contains its promotion event, so one rename is the whole change: the line in history.jsonl and the
    files for other servers are derived from it, and written again if the process died before them.
    """

    registry: Registry
    model: str

    @property
    def folder(self) -> Path:
        """The model's folder."""
        return self.registry.root / self.model

    def serving_or_none(self) -> Promoted | None:
        """The version that serves; None if there is none, or if the pointer is damaged."""
        try:
            return self.registry.promoted(self.model)
        except BundleError:
            return None

    def require_known_serving(self) -> Promoted | None:
        """The version that serves; None only if there is no record of a promotion.

        Raises: BundleError: the pointer is gone or damaged, so a person must choose the version.
        """
        promoted = self.registry.promoted(self.model)
        last = self.promotion_events().last
        if promoted is None and last is not None:
            raise BundleError(
                f"{self.folder / POINTER} is gone, version {last.to_version} served last: choose the version with "
                f"`{PIPELINE} rollback {self.model} --to {last.to_version} --reason TEXT`, or with {PROMOTE}"
            )
        return promoted

    def promotion_events(self) -> PromotionEvents:
        """All promotion events so far, oldest first."""
        return self.registry.promotion_events(self.model)

    def history_problem(self) -> str | None:
        """The reason why pointer and history cannot be trusted; None if they agree.

        Events are missing, or the pointer is older than the history. A missing event can be a rollback, so only a
        person may promote then.
        """
        file, events, current = self.folder / HISTORY, self.promotion_events(), self.serving_or_none()
        if missing := events.missing():
            lost, them = ("event", "it") if len(missing) == 1 else ("events", "them")
            return (
                f"{file} has {len(missing)} promotion {lost} missing (first: number {missing[0]}): restore {them}, or "
                f"continue without {them} with {PROMOTE}"
            )
        if current is not None and events.last is not None and current.event.sequence < events.last.sequence:
            return (
                f"{self.folder / POINTER} is older than {file}, whose last event is for version "
                f"{events.last.to_version}: choose the version with `{PIPELINE} rollback {self.model} "
                "--to VERSION --reason TEXT`"
            )
        if not events.events and (numbers := versions(self.folder)) and numbers[-1] > 1:
            return (
                f"{self.folder} holds version {numbers[-1]} but no {HISTORY}: restore it, or continue without it with "
                f"{PROMOTE}"
            )
        return None

    def promote(self, candidate: Bundle, evidence: Evidence, reason: str, manual: bool = False) -> Promoted:
        """Makes a bundle the version that serves, under the next number, or the one that it already has.

        Its copy in the registry is checked and must pass the smoke test. `manual` means that a person asked for it.

        Raises:
            InputError: the model has versions of another data set.
            BundleError: the copy differs or fails the smoke test; or `manual` is false, and the pointer is gone or
                damaged.
        """
        current = self.serving_or_none() if manual else self.require_known_serving()
        require_same_dataset(self.folder, candidate)
        version = add_version(self.folder, candidate, (event.to_version for event in self.promotion_events().events))
        if current is not None and (current.version, current.sha256) == (version, candidate.sha256):
            return current
        return self._move("promote", version, candidate.sha256, reason, evidence, manual)

    def roll_back(self, version: int | None, reason: str) -> Promoted:
        """Makes a version serve again; None takes the latest earlier version, ignoring those that were rolled back.

        Raises:
            InputError: the version does not exist, was never promoted, or serves already.
            BundleError: its files differ from what was promoted, or it fails the smoke test.
        """
        target = self._target(version)
        evidence = replace(target.evidence, difference=None)
        return self._move("rollback", target.to_version, target.bundle_sha256, reason, evidence, True)

    def repair(self) -> None:
        """Completes a promotion or rollback that was killed, and restores a damaged pointer from intact events."""
        remove_incoming(self.folder)
        file, pointer_file = self.folder / HISTORY, self.folder / POINTER
        try:
            promoted = self.registry.promoted(self.model)
        except BundleError:
            known = read_promotion_events(file)
            if known.last is not None and not known.damaged:
                _write(pointer_file, known.last)
                self._write_server_files()
            return
        if promoted is None:
            return
        self._record(promoted.event)
        self._write_server_files()

    def _target(self, version: int | None) -> PromotionEvent:
        events = self.promotion_events()
        target = events.previous() if version is None else events.last_to(version)
        if target is None:
            raise InputError(self._no_target(version, events))
        current, last = self.serving_or_none(), events.last
        if (
            current is not None
            and last is not None
            and current.event.sequence == last.sequence
            and current.sha256 == target.bundle_sha256
            and is_intact(current.path, current.sha256)
        ):
            raise InputError(f"{self.model} version {target.to_version} serves already: nothing was changed")
        if target.to_version not in versions(self.folder):
            raise InputError(f"{self.folder / str(target.to_version)} is gone: give another version with --to VERSION")
        return target

    def _no_target(self, version: int | None, events: PromotionEvents) -> str:
        if events.damaged:
            damage = f"is damaged in line {', '.join(map(str, events.damaged))}, where the version"
            return f"{self.folder / HISTORY} {damage} may be: restore it, or give another one with --to VERSION"
        if not events.events:
            return f"{self.folder} has no promotion events: nothing to roll back to"
        if version is not None:
            served = _numbers(events.events)
            return f"version {version} of {self.model} never served: choose one that did ({served}) with --to VERSION"
        last = events.events[-1]
        others = _numbers(event for event in events.events if event.bundle_sha256 != last.bundle_sha256)
        if not others:
            return f"version {last.to_version} of {self.model} has no earlier version: nothing to roll back to"
        return (
            f"every earlier version of {self.model} was rolled back: choose one that served before ({others}) "
            "with --to VERSION"
        )

    def _move(
        self, action: Action, version: int, sha256: str, reason: str, evidence: Evidence, manual: bool
    ) -> Promoted:
        path = self.folder / str(version)
        run_smoke_test(load_bundle(path, sha256))
        current = self.serving_or_none()
        before = None if current is None else current.event
        event = next_event(self.promotion_events(), before, action, (version, sha256), reason, evidence, manual)
        with defer_interrupts():
            # An event that cannot be recorded must not happen: history.jsonl is opened before the pointer changes.
            with (self.folder / HISTORY).open("ab"):
                _write(self.folder / POINTER, event)
            self._record(event)
            self._write_server_files()
        promoted = Promoted(self.model, version, sha256, path, event)
        if (message := owner_only_message(self.registry, promoted)) is not None:
            log.warning("%s", message, extra={"event": {"event": "notice", "model": self.model}})
        return promoted

    def _record(self, event: PromotionEvent) -> None:
        """Adds an event to history.jsonl, unless it is there."""
        file = self.folder / HISTORY
        if all(event.sequence != other.sequence for other in read_promotion_events(file).events):
            append_event(file, event)

    def _write_server_files(self) -> None:
        """Writes the files of TensorFlow Serving and Triton. One lists all models, so the registry has its own lock."""
        with locked(self.registry.root / ".lock"):
            try:
                files = server_files(self.registry, self.model)
            except BundleError:
                # The promoted bundle is damaged: the files stay as they are until another version serves.
                return
            for file, text in files.items():
                if not has_text(file, text):
                    replace_text(file, text)


def _numbers(events: Iterable[PromotionEvent]) -> str:
    return ", ".join(map(str, sorted({event.to_version for event in events})))


def _write(pointer_file: Path, event: PromotionEvent) -> None:
    replace_json(pointer_file, {"version": event.to_version, "sha256": event.bundle_sha256, "event": event.to_json()})
