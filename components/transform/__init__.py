"""Statistics + Anomalies -> Transform: the preprocessing, decided once from the training split."""

from components.transform.transform import Params, run

__all__ = ["Params", "run"]
