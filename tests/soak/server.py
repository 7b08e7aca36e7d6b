"""
A fast server for many calls, started as a process by the tests of either language.

Its first line of output is {"http": URL, "https": URL, "ca": FILE, "ways": {NAME: NUMBER}}. For every line that it
reads it prints what was asked over TLS so far: a list of numbers for each connection. It ends when its input does.

A contact is asked for by its place and by the way in which it is to be answered: "cus_" + the number of the way, four
digits + the place, twelve digits. Every answer reports what it was asked, so that it can be held against its question.
`--mix-up N` gives every Nth answer to another question, for those who look whether that is noticed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import socket
import ssl
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))

import certificates

WELL, CLOSE_AFTER, CLOSE_WITHOUT, STALL, HALF_CLOSE, LATE = range(6)
WAYS = {
    "well": WELL,
    "close_after": CLOSE_AFTER,
    "close_without": CLOSE_WITHOUT,
    "stall": STALL,
    "half_close": HALF_CLOSE,
    "late": LATE,
}
LATE_SECONDS = 0.3
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
PLACE = re.compile(rb"/contacts/cus_(\d{4})(\d{12}) ")


class Question(NamedTuple):
    number: int
    way: int
    shape: bytes
    """The body of the answer, with two places for the number."""


def read(line: bytes, body: bytes) -> Question:
    """A contact by its place, an order by its id, an event by the number in `event_data`."""
    if place := PLACE.search(line):
        way = int(place[1])
        return Question(int(place[2]), way, b'{"data":{"id":"cus_%04d%%012d","first_name":"n%%d"}}' % way)
    asked = json.loads(body)
    if b"/events " in line:
        return Question(asked["event_data"]["number"], WELL, b'{"event_id":"evt_%d","status":"accepted","number":%d}')
    return Question(asked["order_id"], WELL, b'{"data":{"order_id":%d,"first_name":"n%d"}}')


class House:
    """What all connections share."""

    def __init__(self, mix_up: int) -> None:
        self.mix_up = mix_up
        self.answered = 0
        self.secure: list[Connection] = []

    def answer(self, question: Question) -> bytes:
        self.answered += 1
        number = question.number + (bool(self.mix_up) and self.answered % self.mix_up == 0)
        body = question.shape % (number, number)
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class Connection(asyncio.Protocol):
    def __init__(self, house: House) -> None:
        self.house = house
        self.asked: list[int] = []
        self.left = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.secure = transport.get_extra_info("ssl_object") is not None
        if self.secure:
            self.house.secure.append(self)

    def data_received(self, data: bytes) -> None:
        self.left += data
        while (end := self.left.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self.left, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self.left) < whole:
                return
            head, body = self.left[:end], self.left[end + 4 : whole]
            self.left = self.left[whole:]
            self.meet(read(head.partition(b"\r\n")[0], body))

    def meet(self, question: Question) -> None:
        self.asked.append(question.number)
        if question.way == LATE:
            asyncio.get_running_loop().call_later(LATE_SECONDS, self.answer, question)
        elif question.way in (CLOSE_AFTER, HALF_CLOSE) and not self.secure:
            self.answer_and_end(question)
        elif question.way not in (STALL, CLOSE_WITHOUT):
            self.answer(question)
        if question.way in (CLOSE_AFTER, CLOSE_WITHOUT):
            self.transport.close()

    def answer_and_end(self, question: Question) -> None:
        """In one packet, so that no client can believe in between that the connection is kept."""
        wire: socket.socket = self.transport.get_extra_info("socket")
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        self.answer(question)
        wire.shutdown(socket.SHUT_WR)

    def answer(self, question: Question) -> None:
        self.transport.write(self.house.answer(question))


def tls(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "good.pem", folder / "good.key")
    return context


async def serve(folder: Path, mix_up: int) -> None:
    house, loop = House(mix_up), asyncio.get_running_loop()
    ca = certificates.make(folder)

    async def listen(scheme: str, context: ssl.SSLContext | None) -> str:
        server = await loop.create_server(lambda: Connection(house), "127.0.0.1", 0, ssl=context, backlog=512)
        return f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"

    urls = {"http": await listen("http", None), "https": await listen("https", tls(folder))}
    print(json.dumps({**urls, "ca": str(ca), "ways": WAYS}), flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps([connection.asked for connection in house.secure]), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mix-up", type=int, default=0)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(serve(Path(folder), parser.parse_args().mix_up))


if __name__ == "__main__":
    main()
