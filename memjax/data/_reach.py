"""Whether the internet answers, found out in bounded time."""

import queue
import threading
import time
from collections.abc import Iterable
from urllib.parse import urlsplit


def unreachable_host(urls: Iterable[str], seconds: float) -> str | None:
    """Asks each host for the first byte of one URL.

    Whatever hangs (name lookup, connection, proxy, server) hangs in a daemon thread, so the
    answer comes within `seconds` and nothing delays the interpreter's exit.

    Args:
        urls: What is to be downloaded.
        seconds: Time allowed for all of them together.

    Returns:
        A host that did not offer its file in time; None if all did.
    """
    waiting = {urlsplit(url).netloc: url for url in urls}
    answers: queue.SimpleQueue[tuple[str, bool]] = queue.SimpleQueue()
    for host, url in waiting.items():
        threading.Thread(target=_ask, args=(host, url, seconds, answers), daemon=True).start()
    deadline = time.monotonic() + seconds
    while waiting:
        try:
            host, answered = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return next(iter(waiting))
        if not answered:
            return host
        del waiting[host]
    return None


def _ask(host: str, url: str, seconds: float, answers: queue.SimpleQueue) -> None:
    import requests  # what TFDS downloads with: the same proxies and certificates apply

    try:
        with requests.get(url, stream=True, timeout=seconds) as response:
            answers.put((host, response.ok))
    except requests.RequestException:
        answers.put((host, False))
