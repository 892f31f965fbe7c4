"""An OSError while the registry is read or changed -> the sentence that says which version serves now."""

from __future__ import annotations

from serving.registry.registry import Promoted


def failure_message(error: OSError, model: str, before: Promoted | None, now: Promoted | None) -> str:
    """The sentence of a file that could not be read or written, with what serves."""
    problem = f"{error.filename2 or error.filename or model}: {error.strerror or error}"
    if now is None:
        return f"{problem}; nothing of {model} serves: correct the cause and try again"
    if before is None or before.event.sequence != now.event.sequence:
        return (
            f"{model} version {now.version} serves now, but {problem}: correct the cause; the next run, promotion or "
            "rollback completes it"
        )
    return f"{problem}; {model} version {now.version} serves as before: correct the cause and try again"
