"""Bundle + Agreement + Examples + Evaluation -> Verification: may the bundle serve in the place of the model?"""

from components.verify.verify import Params, run

__all__ = ["Params", "run"]
