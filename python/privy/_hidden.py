"""Methods whose frames no exception shows: an exception report may show local variables of its frames."""

from __future__ import annotations

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")

_COPIED = ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__")


def hidden(method: Callable[P, T]) -> Callable[P, T]:
    """The method. The traceback of an exception keeps the frames of the user, such as those of an iterator, and no
    frame of this package that holds an argument. Methods that make single calls delete their arguments instead, which
    costs less."""

    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except BaseException as error:
            raise error.with_traceback(without_own(error.__traceback__))  # noqa: B904
        finally:
            del args, kwargs

    for name in _COPIED:
        setattr(call, name, getattr(method, name))
    call.__wrapped__ = method  # type: ignore[attr-defined]
    return call


def without_own(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames of this package."""
    package = __file__.rpartition("_hidden")[0]
    parts = []
    while trace is not None:
        parts.append(trace)
        trace = trace.tb_next
    for part in reversed(parts):
        if not part.tb_frame.f_code.co_filename.startswith(package):
            trace = type(part)(trace, part.tb_frame, part.tb_lasti, part.tb_lineno)
    return trace
