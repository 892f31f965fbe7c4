"""Which model scores: the one that was named, or the only promoted one that takes these images."""

from __future__ import annotations

from pathlib import Path

from serving import bundle
from serving.bundle import Bundle
from serving.errors import InputError
from serving.inputs.blocks import Source
from serving.registry import POINTER, Registry


def find_bundle(images: Source, models: Path, wanted: str | None) -> tuple[Bundle, int | None]:
    """Loads the bundle that shall score.

    Args:
        images: what will be scored.
        models: the registry's folder.
        wanted: a promoted model's name, a model's folder, or a bundle's folder; None lets the images decide.

    Returns:
        The bundle, every file checked, and its version; None where a bundle's folder was given.

    Raises:
        InputError: no such model, none promoted, or several that fit.
        BundleError: the bundle is not what was promoted.
    """
    if wanted is None:
        return promoted_bundle(Registry(models), _only_fitting(images, Registry(models)))
    if wanted in Registry(models).models():
        return promoted_bundle(Registry(models), wanted)
    folder = Path(wanted)
    if (folder / bundle.MANIFEST).is_file():
        return bundle.load(folder), None
    if (folder / POINTER).is_file():
        return promoted_bundle(Registry(folder.parent), folder.name)
    raise InputError(
        f"--model {wanted}: neither a promoted model ({_listed(Registry(models))}) nor a bundle's folder: "
        "give one of these, or promote one with `python -m pipeline run`"
    )


def _only_fitting(images: Source, registry: Registry) -> str:
    models = registry.models()
    if not models:
        raise InputError(
            f"{registry.root} holds no promoted model: promote one with `python -m pipeline run`, "
            "or say where they are with --models FOLDER"
        )
    if len(models) == 1:
        return models[0]
    fitting = [model for model in models if images.fits(promoted_bundle(registry, model)[0].manifest.image_shape)]
    if len(fitting) == 1:
        return fitting[0]
    raise InputError(
        f"{images.described} fits {len(fitting)} of the promoted models "
        f"({_listed(registry)}): say which with --model NAME"
    )


def promoted_bundle(registry: Registry, model: str) -> tuple[Bundle, int]:
    """Loads the version of a model that serves now. Returns: it, and its number. Raises: InputError, BundleError."""
    promoted = registry.promoted(model)
    if promoted is None:
        raise InputError(f"{registry.root / model} has no promoted version: promote one with `python -m pipeline run`")
    return promoted.load(), promoted.version


def _listed(registry: Registry) -> str:
    return f"{registry.root} has " + (", ".join(registry.models()) or "none")
