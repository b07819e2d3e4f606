"""Threads that end with the process: a look-up or a disk that hangs cannot hold up its exit."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Thread
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class AbandonableThreads(ThreadPoolExecutor):
    """Runs each call in a daemon thread of its own, which nobody waits for at the end."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Start the call at once."""
        future: Future[T] = Future()
        Thread(target=_run, args=(future, fn, args, kwargs), daemon=True).start()
        return future


def _run(
    future: "Future[T]", fn: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]
) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(fn(*args, **kwargs))
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the caller's
        future.set_exception(error)
