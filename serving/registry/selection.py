"""Images + registry -> the bundle that scores them: the named model, or the only promoted model that fits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from serving.blocks import Images, OtherSizes, Source
from serving.bundle.bundle import Bundle, load_bundle
from serving.bundle.manifest import MANIFEST, Manifest
from serving.bundle.resizing import require_resizing, resizes
from serving.errors import InputError
from serving.process.program import PIPELINE
from serving.registry.registry import POINTER, Registry
from serving.resize import resize
from serving.scoring.scorer import Precision, Scorer


def find_bundle(images: Source, models: Path, wanted: str | None) -> tuple[Bundle, int | None]:
    """Loads the bundle that scores the images.

    Args:
        images: the images to score. If those of other sizes are resized, only models that allow it are selected.
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
        f"give one of these, or promote one with `{PIPELINE} run`"
    )


def promoted_bundle(registry: Registry, model: str) -> tuple[Bundle, int]:
    """Loads the version of a model that serves now. Returns: it, and its number. Raises: InputError, BundleError."""
    promoted = registry.promoted(model)
    if promoted is None:
        raise InputError(f"{registry.root / model} has no promoted version: promote one with `{PIPELINE} run`")
    return load_bundle(promoted.path, promoted.sha256), promoted.version


def _only_fitting(images: Source, registry: Registry) -> str:
    models = registry.models()
    if not models:
        raise InputError(
            f"{registry.root} has no promoted model: promote one with `{PIPELINE} run`, "
            "or give another registry with --models FOLDER"
        )
    if len(models) == 1:
        return models[0]
    manifests = {model: promoted_bundle(registry, model)[0].manifest for model in models}
    fitting = [model for model, manifest in manifests.items() if _fits(images, manifest)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise InputError(
            f"{images.described} fits {len(fitting)} promoted models ({', '.join(fitting)}): "
            "choose one with --model NAME"
        )
    if images.other_sizes is OtherSizes.RESIZED:
        raise InputError(
            f"{images.described} fits none of the promoted models ({_listed(registry)}) that can resize images: "
            "choose a model that was trained with --ingest.resize, or give images of the shape of one and omit --resize"
        )
    resized = images.with_other_sizes(OtherSizes.RESIZED)
    able = [model for model, manifest in manifests.items() if _fits(resized, manifest)]
    advice = f", or add --resize, which {' and '.join(able)} can do" if able else ""
    raise InputError(
        f"{images.described} fits none of the promoted models ({_listed(registry)}): "
        f"give images of the shape of one of them{advice}"
    )


def _fits(images: Source, manifest: Manifest) -> bool:
    """Whether a model takes the images, resized if they are to be resized."""
    return images.fits(manifest.image_shape) and (images.other_sizes is not OtherSizes.RESIZED or resizes(manifest))


def _listed(registry: Registry) -> str:
    return f"{registry.root} has " + (", ".join(registry.models()) or "none")


class PromotedScorer(Scorer):
    """A scorer that also loads from the registry, which `serving.scoring` does not know, and resizes.

    A step of the pipeline that only scores must not depend on the version of Pillow.
    """

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

    def resized(self, images: Sequence[Images]) -> Images:
        """Resizes images of any sizes as the training images were, for `score`.

        For pictures in files, `read_images` has the very pixels of ingest: it resizes JPEG while it decodes.

        Args:
            images: each uint8 (h, w, c), or (h, w) if the model takes grey, 0 to 255.

        Returns: uint8 (n, height, width, c), of the model's input shape; an image of this size is not changed.

        Raises: InputError: the training images were not resized, another dtype or number of channels, or no Pillow.
        """
        require_resizing(self.bundle)
        *size, channels = self.bundle.manifest.image_shape
        resized = np.empty((len(images), *size, channels), np.uint8)
        for row, image in enumerate(images):
            pixels = image[..., None] if image.ndim == 2 else image
            if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != channels or not pixels.size:
                raise InputError(
                    f"image {row:,} is {image.dtype} {image.shape}, the model takes uint8 (height, width, {channels}), "
                    "0 to 255: convert and reshape it"
                )
            resized[row] = resize(pixels, (size[0], size[1]))
        return resized
