"""A failure of the machine -> BeamlineError: one sentence, with what serves now if the registry is concerned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from serving.errors import BeamlineError, BundleError
from serving.faults.wording import Writing, failure_sentence
from serving.registry.registry import Registry

# The flag of the registry's folder.
MODELS = "--models"


@contextmanager
def explain_failures(
    places: Mapping[str, Path],
    model: str = "",
    run: str = "",
    writing: Callable[[], Writing | None] = lambda: None,
) -> Iterator[None]:
    """Raises failures of the machine, such as a full disk, as one sentence; other exceptions are unchanged.

    Args:
        places: the folders and files that may be written, by the flag that names each.
        model: the model whose serving version is named, if the registry is one of the places.
        run: the run that is going on.
        writing: returns what was being written; called after a failure.

    Raises: BeamlineError: the sentence.
    """
    try:
        yield
    except BeamlineError:
        raise
    except Exception as error:
        sentence = failure_sentence(error, places, writing())
        if sentence is None:
            raise
        served = served_text(places[MODELS], model, run) if model and MODELS in places else ""
        raise BeamlineError("; ".join(filter(None, [sentence, served]))) from error


def served_text(models: Path, model: str, run: str = "") -> str:
    """What serves after a failure: `version 3 of mnist serves as before`; empty if it is not known."""
    try:
        promoted = Registry(models).promoted(model)
    except (BundleError, OSError):
        return ""
    if promoted is None:
        return "nothing serves yet"
    return f"version {promoted.version} of {model} serves {'now' if run and promoted.run == run else 'as before'}"
