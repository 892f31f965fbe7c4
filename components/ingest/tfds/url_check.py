"""A URL -> whether it can be fetched, within a few seconds."""

from __future__ import annotations

# TFDS retries a host name that cannot be resolved for more than three minutes.
NETWORK_SECONDS = 8


def unreachable_reason(url: str) -> str | None:
    """Why a URL cannot be fetched, in a few words; None if the host sends the file in time.

    Name resolution has no time limit, so it runs in a thread that may outlive this call.
    """
    import http.client
    import queue
    import threading
    import urllib.error
    import urllib.request

    answers: queue.Queue[str | None] = queue.Queue()

    def ask() -> None:
        try:
            # A GET request, because not every host answers HEAD. The content is not read.
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
