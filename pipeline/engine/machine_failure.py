"""A failure of the machine -> BeamlineError: one sentence, with what serves now if the registry is concerned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from serving.errors import BeamlineError, BundleError
from serving.faults.fault import fault_of
from serving.faults.wording import Writing, fault_sentence
from serving.registry.registry import Promoted, Registry

# The flag of the registry's folder.
MODELS = "--models"


@contextmanager
def explain_failures(
    places: Mapping[str, Path],
    model: str = "",
    writing: Callable[[], Writing | None] = lambda: None,
) -> Iterator[None]:
    """Raises failures of the machine, such as a full disk, as one sentence; other exceptions are unchanged.

    Args:
        places: the folders and files that may be written, by the flag that names each.
        model: the model whose serving version is named, if the registry is one of the places.
        writing: returns what was being written; called after a failure.

    Raises: BeamlineError: the sentence.
    """
    registry = Registry(places[MODELS]) if model and MODELS in places else None
    before = None if registry is None else _promoted(registry, model)
    try:
        yield
    except BeamlineError:
        raise
    except Exception as error:
        fault = fault_of(error)
        if fault is None:
            raise
        now = None if registry is None else _promoted(registry, model)
        if now is not None and now != before:
            raise BeamlineError(
                f"version {now.version} of {model} serves now, but {': '.join(reversed(fault.parts()))}: correct "
                "that; the next run, promotion or rollback completes it"
            ) from error
        sentence = fault_sentence(fault, places, writing())
        served = served_text(registry, model) if registry is not None else ""
        raise BeamlineError("; ".join(filter(None, [sentence, served]))) from error


def served_text(registry: Registry, model: str) -> str:
    """What serves after a failure: `version 3 of mnist serves as before`; empty if it is not known."""
    try:
        promoted = registry.promoted(model)
    except (BundleError, OSError):
        return ""
    return "nothing serves yet" if promoted is None else f"version {promoted.version} of {model} serves as before"


def _promoted(registry: Registry, model: str) -> Promoted | None:
    """The version that serves; None if there is none, or if it is not known."""
    try:
        return registry.promoted(model)
    except (BundleError, OSError):
        return None
