"""Images + registry -> the bundle that scores them: the named model, or the only promoted model that fits."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from serving.blocks import Source
from serving.bundle.bundle import Bundle, load_bundle
from serving.bundle.manifest import MANIFEST
from serving.errors import InputError
from serving.registry.registry import POINTER, Registry
from serving.scoring.scorer import Precision, Scorer


def find_bundle(images: Source, models: Path, wanted: str | None) -> tuple[Bundle, int | None]:
    """Loads the bundle that scores the images.

    Args:
        images: the images to score.
        models: the registry's folder.
        wanted: a promoted model's name, a model's folder, or a bundle's folder; None selects by the images' shape.

    Returns:
        The bundle, every file checked, and its version; None if `wanted` is a bundle's folder.

    Raises:
        InputError: the model does not exist, is not promoted, or several models fit.
        BundleError: the bundle differs from what was promoted.
    """
    if wanted is None:
        return promoted_bundle(Registry(models), _only_fitting(images, Registry(models)))
    if wanted in Registry(models).models():
        return promoted_bundle(Registry(models), wanted)
    folder = Path(wanted)
    if (folder / MANIFEST).is_file():
        return load_bundle(folder), None
    if (folder / POINTER).is_file():
        return promoted_bundle(Registry(folder.parent), folder.name)
    raise InputError(
        f"--model {wanted} is neither a promoted model ({_listed(Registry(models))}) nor a bundle's folder: "
        "give one of these, or promote one with `python -m pipeline run`"
    )


def promoted_bundle(registry: Registry, model: str) -> tuple[Bundle, int]:
    """Loads the version of a model that serves now. Returns: it, and its number. Raises: InputError, BundleError."""
    promoted = registry.promoted(model)
    if promoted is None:
        raise InputError(f"{registry.root / model} has no promoted version: promote one with `python -m pipeline run`")
    return load_bundle(promoted.path, promoted.sha256), promoted.version


def _only_fitting(images: Source, registry: Registry) -> str:
    models = registry.models()
    if not models:
        raise InputError(
            f"{registry.root} has no promoted model: promote one with `python -m pipeline run`, "
            "or give another registry with --models FOLDER"
        )
    if len(models) == 1:
        return models[0]
    fitting = [model for model in models if images.fits(promoted_bundle(registry, model)[0].manifest.image_shape)]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise InputError(
            f"{images.described} fits none of the promoted models ({_listed(registry)}): "
            "give images of the shape of one of them"
        )
    raise InputError(
        f"{images.described} fits {len(fitting)} promoted models ({', '.join(fitting)}): choose one with --model NAME"
    )


def _listed(registry: Registry) -> str:
    return f"{registry.root} has " + (", ".join(registry.models()) or "none")


class PromotedScorer(Scorer):
    """A scorer that also loads from the registry, which `serving.scoring` does not know."""

    @classmethod
    def promoted(
        cls,
        model: str | Path,
        threads: int | None = None,
        batch_size: int | None = None,
        precision: Precision = "float32",
    ) -> Self:
        """Loads the version that serves now from a model's folder in the registry, `models/mnist`.

        A later promotion does not change the scorer. The other arguments are those of `Scorer`.

        Raises:
            InputError: the model has no promoted version.
            BundleError: the bundle differs from what was promoted.
        """
        folder = Path(model)
        bundle, _ = promoted_bundle(Registry(folder.parent), folder.name)
        return cls(bundle, threads, batch_size, precision)
