"""Examples + Statistics -> Anomalies: the data contract; an error stops the run before training."""

from components.validate.validate import Params, fingerprint, run

__all__ = ["Params", "fingerprint", "run"]
