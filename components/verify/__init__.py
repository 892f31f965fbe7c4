"""Model + Transform + Bundle + Examples + Evaluation -> Verification: does the bundle score as the model does?"""

from components.verify.verify import Params, run

__all__ = ["Params", "run"]
