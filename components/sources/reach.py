"""An address -> whether it answers, known within a few seconds."""

from __future__ import annotations

# TFDS itself retries a host that cannot be resolved for over three minutes.
NETWORK_SECONDS = 8


def refusal(url: str) -> str | None:
    """What is wrong with an address, in a few words; None where it answers in time.

    Name resolution ignores time limits, so it is left behind in a thread.
    """
    import http.client
    import queue
    import threading
    import urllib.error
    import urllib.request

    answers: queue.Queue[str | None] = queue.Queue()

    def ask() -> None:
        try:
            # What is asked for is the file itself, because not every host answers HEAD; its content is left unread.
            request = urllib.request.Request(url, headers={"User-Agent": "beamline"})
            with urllib.request.urlopen(request, timeout=NETWORK_SECONDS):
                answers.put(None)
        except urllib.error.HTTPError as error:
            answers.put(f"answered {error.code} {error.reason}")
        except (OSError, ValueError, http.client.HTTPException) as error:
            answers.put(f"cannot be reached ({getattr(error, 'reason', error)})")

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answers.get(timeout=NETWORK_SECONDS)
    except queue.Empty:
        return f"did not answer within {NETWORK_SECONDS} s"
