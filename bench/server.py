"""The server of the measurements: answers over HTTP on loopback, the same bytes to everybody.

    python -m bench.server FOLDER [--delay SECONDS] [--pages COUNT]

It prints its port. FOLDER holds the input; a list of contacts has COUNT pages, each of 100 contacts. `GET /last`
returns the request before it, so that what each client sends can be checked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from pathlib import Path

from .inputs import PAGE_MARK

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
PAGE = re.compile(r"[?&]page=(\d+)")
HEADERS = (
    "HTTP/1.1 {status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {length}\r\n"
    "Cache-Control: no-store\r\nX-Request-Id: 4fd5e6a1c0b24a3d\r\n"
    "X-RateLimit-Limit-Minute: 60000000\r\nX-RateLimit-Remaining-Minute: 50000000\r\n"
    "X-RateLimit-Reset-Minute: {reset}\r\nX-RateLimit-Limit-Day: 900000000\r\n"
    "X-RateLimit-Remaining-Day: 800000000\r\nX-RateLimit-Reset-Day: {reset}\r\n\r\n"
)
ORDER = {
    "order_id": 700102,
    "source": "api",
    "email": "buyer102@example.com",
    "total_amount": "95.00",
    "currency_code": "USD",
    "placed_at": "2026-05-12T10:00:00Z",
    "created_at": "2026-05-12T10:00:01Z",
    "updated_at": "2026-05-12T10:00:01Z",
}
EVENT = {"event_id": "evt_5f2b8c1d9e3a4f60", "status": "accepted"}


class Answers:
    """What is answered to which request, made before the first one comes."""

    def __init__(self, folder: Path, pages: int) -> None:
        self.reset = int(time.time()) + 86_400
        self.contact = self.whole("200 OK", (folder / "contact.json").read_bytes())
        self.order = self.whole("201 Created", json.dumps({"data": ORDER}).encode())
        self.event = self.whole("200 OK", json.dumps(EVENT).encode())
        self.missing = self.whole("404 Not Found", b'{"error":{"code":"not_found","message":"no such thing"}}')
        self.contacts = (folder / "contacts.json").read_bytes()
        self.pages = pages
        self.last = b"{}"

    def whole(self, status: str, body: bytes) -> bytes:
        return HEADERS.format(status=status, length=len(body), reset=self.reset).encode() + body

    def page(self, target: str) -> bytes:
        asked = PAGE.search(target)
        number = int(asked[1]) if asked else 1
        contacts = self.contacts.replace(PAGE_MARK.encode(), b"%08d" % number)
        place = {
            "page": number,
            "per_page": 100,
            "total_count": self.pages * 100,
            "total_pages": self.pages,
        }
        return self.whole("200 OK", b'{"data":%s,"pagination":%s}' % (contacts, json.dumps(place).encode()))

    def to(self, method: str, target: str) -> bytes:
        if method == "POST":
            return {"/v1/events": self.event, "/v1/orders/placed": self.order}.get(target, self.missing)
        if target == "/last":
            return self.whole("200 OK", self.last)
        if target.startswith("/v1/contacts/"):
            return self.contact
        return self.page(target) if target.startswith("/v1/contacts") else self.missing

    def remember(self, method: str, target: str, head: bytes, body: bytes) -> None:
        if target != "/last":
            headers = [line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:]]
            self.last = json.dumps(
                {"method": method, "target": target, "headers": headers, "body": body.decode()}
            ).encode()


class Connection(asyncio.Protocol):
    """One connection: requests come one after the other, each is answered after the delay."""

    def __init__(self, answers: Answers, delay: float) -> None:
        self.answers = answers
        self.delay = delay
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, end, rest = self.received.partition(b"\r\n\r\n")
        if not end:
            return
        length = LENGTH.search(head)
        size = int(length[1]) if length else 0
        if len(rest) < size:
            return
        self.received = rest[size:]
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        answer = self.answers.to(method, target)
        self.answers.remember(method, target, head, rest[:size])
        if self.delay and target != "/last":
            asyncio.get_running_loop().call_later(self.delay, self.transport.write, answer)
        else:
            self.transport.write(answer)


async def serve(folder: Path, delay: float, pages: int) -> None:
    answers = Answers(folder, pages)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answers, delay), "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--pages", type=int, default=1)
    asked = parser.parse_args()
    asyncio.run(serve(asked.folder, asked.delay, asked.pages))


if __name__ == "__main__":
    main()
