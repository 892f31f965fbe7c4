"""The pointer to the version that serves, moved under a lock: forward by a promotion, back by a rollback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from serving import bundle
from serving.bundle import Bundle
from serving.errors import BeamlineError, BundleError, InputError
from serving.files import fsync_folder, replace_json
from serving.history import Action, Event, Evidence, History, append_event, next_event, read_history
from serving.interrupts import finishing
from serving.locks import locked
from serving.registry import HISTORY, POINTER, Promoted, Registry, require_plain_name
from serving.servers import write_where_other
from serving.trial import require_answers
from serving.versions import add_version, is_whole, require_same_dataset, versions


@contextmanager
def held(registry: Registry, model: str) -> Iterator[Pointer]:
    """Holds a model's pointer: nobody else moves it until this is left. Waits for whoever holds it.

    What an earlier promotion or rollback did not come to, because it was killed, is done first.

    Raises:
        InputError: the model's name is no plain name.
    """
    require_plain_name(model)
    folder = registry.root / model
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        fsync_folder(registry.root)
    with locked(folder / ".lock"):
        pointer = Pointer(registry, model)
        pointer.mend()
        yield pointer


@dataclass(frozen=True)
class Pointer:
    """A model's pointer: whoever holds its lock may move and mend it, anyone may ask it.

    The pointer itself holds the move that put it there, so that one rename makes the move: the line in the history
    and the files for other servers follow from it, and are written again where a crash came between.
    """

    registry: Registry
    model: str

    @property
    def folder(self) -> Path:
        """The model's folder."""
        return self.registry.root / self.model

    def serving(self) -> Promoted | None:
        """The version that serves; None where none does, or nobody can say which."""
        try:
            return self.registry.promoted(self.model)
        except BundleError:
            return None

    def champion(self) -> Promoted | None:
        """The version that serves; None where none was ever promoted.

        Raises:
            BundleError: the pointer is gone or damaged, and only a person can say what should serve.
        """
        promoted = self.registry.promoted(self.model)
        last = self.history().last
        if promoted is None and last is not None:
            raise BundleError(
                f"{self.folder / POINTER} is gone, version {last.to_version} served last: say what shall serve with "
                f"`python -m pipeline rollback {self.model} --to {last.to_version} --reason TEXT`, or with "
                "`python -m pipeline promote RUN --reason TEXT`"
            )
        return promoted

    def history(self) -> History:
        """Every move so far, oldest first."""
        return self.registry.history(self.model)

    def gap(self) -> str | None:
        """What is missing on record, so that nobody can say what was rolled back from; None where nothing is."""
        file, history, serving = self.folder / HISTORY, self.history(), self.serving()
        by_hand = "or go on without with `python -m pipeline promote RUN --reason TEXT`"
        if missing := history.missing():
            return f"{file} lacks {len(missing)} moves, the first is number {missing[0]}: put them back, {by_hand}"
        if serving is not None and history.last is not None and serving.event.sequence < history.last.sequence:
            return (
                f"{self.folder / POINTER} is older than {file}, of which the last move was to version "
                f"{history.last.to_version}: say what shall serve with `python -m pipeline rollback {self.model} "
                "--to VERSION --reason TEXT`"
            )
        if not history.events and (held := versions(self.folder)) and held[-1] > 1:
            return f"{self.folder} holds version {held[-1]} and has no history: put it back, {by_hand}"
        return None

    def promote(self, candidate: Bundle, evidence: Evidence, reason: str, by_hand: bool = False) -> Promoted:
        """Makes a bundle the version that serves: the next number, or the one that it already has.

        Args:
            candidate: the bundle; its copy in the registry is checked, and has to answer its own sample.
            evidence: what its right to serve rests on.
            reason: why it shall serve.
            by_hand: a person asks for it.

        Raises:
            InputError: the model holds versions of another data set.
            BundleError: the copy is not what was checked, or does not answer; or nobody can say what serves, and no
                person asks.
        """
        serving = self.serving() if by_hand else self.champion()
        require_same_dataset(self.folder, candidate)
        version = add_version(self.folder, candidate, (event.to_version for event in self.history().events))
        if serving is not None and (serving.version, serving.sha256) == (version, candidate.sha256):
            return serving
        return self._move("promote", version, candidate.sha256, reason, evidence, by_hand)

    def roll_back(self, version: int | None, reason: str) -> Promoted:
        """Makes a version serve that served before.

        Args:
            version: which; None is the one that served before the present one and was not rolled back from.
            reason: why.

        Raises:
            InputError: there is no such version, it was never promoted, or it serves already.
            BundleError: it is not what was promoted, or does not answer its sample.
        """
        target = self._target(version)
        return self._move("rollback", target.to_version, target.bundle_sha256, reason, target.evidence, True)

    def mend(self) -> None:
        """Does what a killed promotion or rollback did not come to, and puts right what can be told from the rest."""
        file, pointer = self.folder / HISTORY, self.folder / POINTER
        try:
            promoted = self.registry.promoted(self.model)
        except BundleError:
            known = read_history(file)
            if known.last is not None and not known.damaged:
                _write(pointer, known.last)
                self._tell_servers()
            return
        if promoted is None:
            return
        self._record(promoted.event)
        self._tell_servers()

    def _target(self, version: int | None) -> Event:
        history = self.history()
        if not history.events:
            raise InputError(f"{self.folder} has no history, so there is nothing to go back to")
        target = history.earlier() if version is None else history.to(version)
        if target is None:
            which = (
                "none that served before and was not rolled back from" if version is None else f"no version {version}"
            )
            served = ", ".join(map(str, sorted({event.to_version for event in history.events})))
            raise InputError(f"{self.model} has {which}; {served} served so far: give one of them with --to VERSION")
        serving, last = self.serving(), history.last
        settled = serving is not None and last is not None and serving.event.sequence == last.sequence
        if (
            settled
            and serving is not None
            and serving.sha256 == target.bundle_sha256
            and is_whole(serving.path, serving.sha256)
        ):
            raise InputError(f"{self.model} version {target.to_version} serves already: nothing was changed")
        if target.to_version not in versions(self.folder):
            raise InputError(f"{self.folder / str(target.to_version)} is gone: give another version with --to VERSION")
        return target

    def _move(
        self, action: Action, version: int, sha256: str, reason: str, evidence: Evidence, by_hand: bool
    ) -> Promoted:
        path = self.folder / str(version)
        require_answers(bundle.load(path, sha256))
        serving = self.serving()
        before = None if serving is None else (serving.version, serving.sha256)
        event = next_event(self.history(), before, action, (version, sha256), reason, evidence, by_hand)
        with finishing():
            # What cannot be recorded must not be done: the history is opened before the pointer moves.
            with (self.folder / HISTORY).open("ab"):
                _write(self.folder / POINTER, event)
            try:
                self._record(event)
                self._tell_servers()
            except OSError as error:
                raise BeamlineError(
                    f"version {version} serves now, but {error.filename} could not be written ({error.strerror}): "
                    "put that right, the next command writes it again"
                ) from error
        return Promoted(self.model, version, sha256, path, event)

    def _record(self, event: Event) -> None:
        """Adds a move to the history, unless it is there."""
        file = self.folder / HISTORY
        if all(event.sequence != other.sequence for other in read_history(file).events):
            append_event(file, event)

    def _tell_servers(self) -> None:
        """One file tells TensorFlow Serving of all models, so that it has a lock of its own."""
        with locked(self.registry.root / ".lock"):
            try:
                files = self.registry.server_files(self.model)
            except BundleError:
                # What serves is damaged: the servers keep what they were told, until something else serves.
                return
            for file, text in files.items():
                write_where_other(file, text)


def _write(pointer: Path, event: Event) -> None:
    replace_json(pointer, {"version": event.to_version, "sha256": event.bundle_sha256, "event": event.to_json()})
