"""What commands do with MLflow: log a run, and let the alias follow the pointer, which stays the truth."""

from __future__ import annotations

import logging
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.tracking.memory import FILE, read_memory, without_credentials, write_memory
from serving.errors import BeamlineError, InputError
from serving.locks import locked
from serving.registry import Registry

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from pipeline.tracking.server import Place

log = logging.getLogger("beamline.tracking")

# How long who waits for a rollback waits for an alias; and a run, at its start and its end.
MOVE_SECONDS = 20.0
OPEN_SECONDS = 20.0
LOG_SECONDS = 300.0


def require_tracker(runs: Path, model: str) -> None:
    """Says before the work begins what would only be noticed after it.

    Raises:
        InputError: the user's address is none that MLflow can use.
        BeamlineError: MLflow is not installed.
    """
    from importlib.util import find_spec

    from pipeline.tracking.server import TRACKING, connect, place_of, within

    for name in ("mlflow", "sqlalchemy", "alembic"):
        if find_spec(name) is None:
            raise BeamlineError(
                f"--track mlflow: {name} is not installed: pip install '.[mlflow]' in Beamline's folder"
            )
    place = place_of(runs, model)
    if place.artifacts is not None:
        return
    try:
        within(OPEN_SECONDS, lambda: connect(place))
    except Exception as error:
        raise InputError(
            f"{TRACKING} {without_credentials(place.uri)} cannot be used ({_short(place, error)}): set it to an MLflow "
            f"that answers, or to nothing, which means {runs / 'mlflow.db'}"
        ) from error


def track_run(runs: Path, models: Path, model: str, run: str) -> None:
    """Logs a run that has ended, and lets the model's folder remember where. That MLflow fails, fails no run."""
    from pipeline.history import History
    from pipeline.store import Store
    from pipeline.tracking.run_log import log_run
    from pipeline.tracking.server import TRACKING, connect, place_of, within

    place = place_of(runs, model)
    words = f"{without_credentials(place.uri)}, experiment {place.experiment}"

    def work() -> None:
        client = connect(place)
        logged = log_run(client, place, History(runs).read(run), Store(runs))
        event = {"event": "tracked", "tracker": "mlflow", "uri": without_credentials(place.uri), "run": logged}
        log.info("tracked: %s, run %s", words, logged, extra={"event": event})
        if (models / model).is_dir():
            _follow(client, place, models, model, logged)

    try:
        within(LOG_SECONDS, work)
    except Exception as error:
        log.debug("%s", place.censored(traceback.format_exc()))
        log.warning(
            "WARNING: run %s is not, or not wholly, in MLflow at %s: %s; repeat the command when that is put right, "
            "which finds everything made and logs it",
            *(run, words, _short(place, error)),
        )
    if _has_secrets(place) and (models / model / FILE).exists():
        log.info(
            "tracked: %s keeps no user and no password: whoever moves what serves needs the same %s",
            *(models / model / FILE, TRACKING),
        )


def follow_pointer(models: Path, model: str) -> str | None:
    """Lets the alias follow the pointer of a tracked model, where it has not yet; other models cost nothing.

    The pointer has moved by now, and stays where it is whatever happens here.

    Returns:
        What to say where it could not; None where all is well.
    """
    folder = models / model
    place: Place | None = None
    try:
        memory = read_memory(folder)
        promoted = None if memory is None else Registry(models).promoted(model)
        if memory is None or promoted is None or promoted.event.sequence == memory.followed:
            return None
        from pipeline.tracking.server import connect, place_again, within

        again = place = place_again(memory)
        within(MOVE_SECONDS, lambda: _follow(connect(again), again, models, model))
        return None
    except Exception as error:
        log.debug("%s", traceback.format_exc() if place is None else place.censored(traceback.format_exc()))
        return (
            f"WARNING: MLflow does not know what serves, its alias of {model} stays where it was: "
            f"{_short(place, error)}. What serves is what was said above. When MLflow answers again, "
            f"the next run, promote or rollback of {model} moves the alias too; "
            f"`python -m pipeline run --track mlflow` of this model tells MLflow anew where to follow ({folder / FILE})"
        )


def _follow(client: MlflowClient, place: Place, models: Path, model: str, run: str | None = None) -> None:
    """Reads the pointer and moves the alias while nobody else does, so that the last who comes sees the last move."""
    from pipeline.tracking.versions import DIGEST, follow

    folder = models / model
    with locked(folder / ".tracking.lock"):
        promoted = Registry(models).promoted(model)
        if promoted is None:
            return
        # Remembered before it is done: what fails now is mended by the next who moves the pointer.
        memory = place.memory()
        write_memory(folder, memory)
        tagged = None if run is None else client.get_run(run).data.tags.get(DIGEST)
        follow(client, place, promoted, run if tagged == promoted.sha256 else None)
        write_memory(folder, replace(memory, followed=promoted.event.sequence))


def _has_secrets(place: Place) -> bool:
    """Whether a place has more than may be written down of it."""
    memory = place.memory()
    return (memory.uri, memory.registry_uri) != (place.uri, place.registry_uri)


def _short(place: Place | None, error: Exception) -> str:
    """What went wrong, on one line, without credentials."""
    words = " ".join(str(error).split()) or type(error).__name__
    words = words if place is None else place.censored(words)
    return words if len(words) <= 300 else f"{words[:300]} …"
