"""Bundle + Evaluation + Verification -> Promotion: the candidate becomes the version that serves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.promotion import Promotion
from components.artifacts.verification import Verification
from serving.registry import Promoted, Registry


@dataclass(frozen=True)
class Params:
    """Where to.

    Attributes:
        model: the model's name.
        models: the registry's folder.
        run: the run that promotes, for the record.
    """

    model: str
    models: Path
    run: str


def settled(bundle: Bundle, params: Params) -> str | None:
    """What there is to say when this very bundle serves already, so that nothing is to be done; else None."""
    now = Registry(params.models).serving(params.model, bundle.sha256)
    return None if now is None else _serves(now, "already serves")


def run(bundle: Bundle, evaluation: Evaluation, verification: Verification, params: Params, out: Path) -> Promotion:
    """Publishes the bundle. `evaluation` is taken for its verdict alone.

    Raises:
        InputError: the model's name is no plain name, or it serves another data set.
        BundleError: the bundle is not what was exported.
    """
    if verification.bundle_sha256 != bundle.sha256:
        reason = (
            f"the verification is of bundle {verification.bundle_sha256[:12]}, the candidate is {bundle.sha256[:12]}"
        )
        return Promotion(
            path=out, model=params.model, version=None, bundle_sha256=bundle.sha256, passed=False, reasons=(reason,)
        ).save()
    promoted = Registry(params.models).publish(bundle.opened(), params.model, params.run)
    return Promotion(
        path=out,
        model=params.model,
        version=promoted.version,
        bundle_sha256=bundle.sha256,
        reasons=(_serves(promoted, "serves now"),),
    ).save()


def _serves(promoted: Promoted, how: str) -> str:
    return f"{promoted.model} version {promoted.version} {how}, sha256 {promoted.sha256[:12]}"
