"""
The server of faults, started as a process by the tests of either language.

Its first line of output is {"control": URL, "proxy": URL, "ca": FILE}; it ends when its standard input does. At the
control URL

    POST /NAME         opens the fault of that name on a port of its own: {"id": …, "base_url": …, "token_url": …},
                       "proxy" when the client is to be given one; {"id": …, "missing": WHY} where it cannot be had
    DELETE /ID         closes it and reports what it has seen: {"connections": …, "elsewhere": …, "requests": [...]}

so that every run of a fault has a server of its own. The proxy takes CONNECT to id.invalid for the fault with that id.
"""

from __future__ import annotations

import itertools
import json
import socket
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import accounts
import answers
import certificates
import connections
import http2
import proxies
from wire import Seen, Wire, listen

FAULTS = {**answers.FAULTS, **accounts.FAULTS, **connections.FAULTS, **http2.FAULTS, **proxies.FAULTS}


class House:
    """The faults that are open, by id."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = certificates.make(folder)
        self.open: dict[str, Seen] = {}
        self._kept: dict[str, list[socket.socket]] = {}
        self._through: dict[str, connections.Fault] = {}
        self._ids = itertools.count(1)
        self._proxy_seen = Seen()
        self.proxy_port = listen(self._proxy, self._proxy_seen)

    def start(self, name: str) -> dict[str, object]:
        fault, id, seen = FAULTS[name], f"fault{next(self._ids)}", Seen()
        self.open[id] = seen
        if fault.proxied:
            self._through[id] = fault
            return {"id": id, "base_url": f"https://{id}.invalid/v1"}
        if fault.place:
            base_url, self._kept[id] = fault.place()
            return {"id": id, "base_url": base_url}

        def handle(connection: socket.socket) -> None:
            seen.connections += 1
            kept = fault.dress(connection, self.folder) if fault.dress else connection
            with kept:
                fault.serve(Wire(kept, seen))

        def other(connection: socket.socket) -> None:
            seen.elsewhere += 1

        seen.other_port = listen(other, seen)
        try:
            port = listen(handle, seen, fault.host.strip("[]") if fault.host.startswith("[") else "127.0.0.1")
        except OSError as error:
            return {"id": id, "missing": f"this machine has no {fault.host}: {error}"}
        origin = f"{'https' if fault.secure else 'http'}://{fault.host}:{port}"
        reported = {"id": id, "base_url": f"{origin}/v1", "token_url": f"{origin}/oauth/token"}
        return {**reported, "proxy": self._in_front(fault.proxy, port, seen)} if fault.proxy else reported

    def _in_front(self, proxy: tuple[str, proxies.Through], port: int, seen: Seen) -> str:
        """Opens a proxy to the port; its URL."""
        scheme, through = proxy
        proxy_port = listen(lambda connection: through(Wire(connection, Seen()), port), seen)
        return f"{scheme}://{proxies.USER}:{proxies.PASSWORD}@127.0.0.1:{proxy_port}"

    def end(self, id: str) -> dict[str, object]:
        seen = self.open.pop(id)
        seen.stopped.set()
        for kept in self._kept.pop(id, []):
            kept.close()
        requests = [
            {"method": r.method, "target": r.target, "key": r.headers.get("idempotency-key")} for r in seen.requests
        ]
        return {"connections": seen.connections, "elsewhere": seen.elsewhere, "requests": requests}

    def _proxy(self, connection: socket.socket) -> None:
        wire = Wire(connection, Seen())
        request = wire.request()
        if request is None or request.method != "CONNECT":
            return
        id = request.target.split(".")[0]
        self.open[id].connections += 1
        self._through[id].serve(wire)


def control(house: House) -> type[BaseHTTPRequestHandler]:
    class Control(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._answer(house.start(self.path[1:]))

        def do_DELETE(self) -> None:
            self._answer(house.end(self.path[1:]))

        def _answer(self, reported: dict[str, object]) -> None:
            body = json.dumps(reported).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    return Control


def main() -> None:
    import threading

    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        server = ThreadingHTTPServer(("127.0.0.1", 0), control(house))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        urls = {"control": f"http://127.0.0.1:{server.server_port}", "proxy": f"http://127.0.0.1:{house.proxy_port}"}
        print(json.dumps({**urls, "ca": str(house.ca)}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
