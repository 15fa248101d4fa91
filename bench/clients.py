"""Clients in threads, as their requests must not wait for one another."""

import threading
import time
from collections.abc import Callable


def at_once(work: Callable[[], object], clients: int, number: int) -> float:
    """The seconds until so many clients have done their work so often together.

    One that fails ends it, and its error is raised.
    """
    left, lock, failed = iter(range(number)), threading.Lock(), list[Exception]()

    def one() -> None:
        while not failed:
            with lock:
                if next(left, None) is None:
                    return
            try:
                work()
            except Exception as error:  # noqa: BLE001 - it is raised in the thread that waits
                failed.append(error)

    threads = [threading.Thread(target=one) for _ in range(clients)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return time.monotonic() - started
