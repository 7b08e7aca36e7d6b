"""How gunicorn runs preloaded_process.app: two workers of four threads, forked by a master that has a client."""

from __future__ import annotations

from typing import Any

bind = "127.0.0.1:0"
preload_app = True
workers = 2
threads = 4
graceful_timeout = 100
control_socket_disable = True  # it would lie in the home directory


def when_ready(server: Any) -> None:
    """Tells the test where to ask."""
    print(server.LISTENERS[0].getsockname()[1], flush=True)
