"""Bundle + Evaluation + Verification + Examples -> Promotion: may the candidate take the champion's place?"""

from components.promote.promote import Params, run, up_to_date

__all__ = ["Params", "run", "up_to_date"]
