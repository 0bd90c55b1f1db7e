"""A function that is watched each time it is called, whatever kind of function it is."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Returning(Protocol):
    """What is told what the function gave."""

    returned: Any


def watched(function: Callable[..., Any], anew: Callable[[], AbstractContextManager[Returning]]) -> Callable[..., Any]:
    """The function inside of a new watch each time; it gives and raises what it did before.

    A coroutine's time is that of its being awaited, a generator's that of its being iterated.
    """
    if inspect.iscoroutinefunction(function):
        return _awaited(function, anew)
    return _iterated(function, anew) if inspect.isgeneratorfunction(function) else _called(function, anew)


def _called(function: Callable[..., Any], anew: Callable[[], AbstractContextManager[Returning]]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with anew() as watching:
            watching.returned = function(*args, **kwargs)
            return watching.returned

    return call


def _awaited(function: Callable[..., Any], anew: Callable[[], AbstractContextManager[Returning]]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        with anew() as watching:
            watching.returned = await function(*args, **kwargs)
            return watching.returned

    return call


def _iterated(
    function: Callable[..., Any], anew: Callable[[], AbstractContextManager[Returning]]
) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with anew() as watching:
            watching.returned = yield from function(*args, **kwargs)
            return watching.returned

    return call
