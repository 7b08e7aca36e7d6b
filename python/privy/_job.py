"""Calls inside a job of a queue."""

from __future__ import annotations

from contextvars import ContextVar, Token

from . import _core

_inside: ContextVar[bool] = ContextVar("privy.job", default=False)
_core.set_in_job(_inside.get)


class job:
    """Makes calls inside a job of a task queue not wait for the rate limit.

    In the block, ``max_wait`` is 0 for every call that does not set it itself, so that no worker is blocked. The
    ``retry_at`` of an error then is an instant for this job alone: jobs that find no budget are spread over the
    following windows, so that they do not all return when the next window opens. Run the job again at that time. It is
    at most 20 minutes after ``resets_at``.

    The block holds for the thread, asyncio task or greenlet that enters it. Bulk runs are not affected: they wait, at
    most ``max_wait`` of the run. ``privy.celery.PrivyTask`` does all of this for Celery.

    >>> import privy
    >>> client = privy.Sandbox().client()
    >>> with privy.job():
    ...     client.contacts.list().total_count()
    0
    """

    __slots__ = ("_tokens",)

    def __init__(self) -> None:
        self._tokens: list[Token[bool]] = []

    def __enter__(self) -> None:
        self._tokens.append(_inside.set(True))

    def __exit__(self, *error: object) -> None:
        _inside.reset(self._tokens.pop())
