"""The examples, run as a user runs them: in process, and against both served sandboxes."""

import csv
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from tree import INTERPRETERS, ROOT, SERVERS, environment, run, served

SMALL = "examples/data/invoices.csv"
ENDING = {"python": ".py", "ruby": ".rb"}
REFUSED = ["700003", "C700004", "C700009"]


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    with served(request.param) as variables:
        yield variables


def example(language: str, name: str, *arguments: str, env: dict[str, str]) -> str:
    return run([*INTERPRETERS[language], f"examples/{name}{ENDING[language]}", *arguments], env=env)


def count_contacts(env: dict[str, str]) -> int:
    code = "import privy; print(privy.Client().contacts.list().total_count())"
    return int(run([*INTERPRETERS["python"], "-c", code], env=env))


def check_report(output: str, summary: str) -> None:
    lines = output.splitlines()
    assert lines[0] == summary
    assert [line.split(":")[0].strip() for line in lines[1:]] == REFUSED
    reasons = dict(re.findall(r"^  (\w+): (.+)$", output, re.MULTILINE))
    assert "base: at least one of email, phone is required" in reasons["700003"]
    assert reasons["C700004"].startswith("order_id: must be")
    # Every fault is reported at once: this one is a cancellation and names no customer either.
    assert "order_id: must be" in reasons["C700009"] and "base: " in reasons["C700009"]


@pytest.mark.parametrize("language", INTERPRETERS)
def test_quickstart_over_http(language: str, server: dict[str, str]) -> None:
    output = example(language, "quickstart", env=server)
    for words in ("created cus_", "updated", "order 1001 created 95", "order 1001 updated 89.9", "event accepted"):
        assert words in output
    assert "refused: email must be an e-mail address" in output
    assert "refused: base sms_consent subscribed" in output
    assert "unsubscribed: unsubscribed" in output
    assert output.splitlines()[-1].startswith("deleted cus_")
    assert "4155550171" not in output
    assert count_contacts(server) == 0


@pytest.mark.parametrize("language", INTERPRETERS)
def test_import_over_http(language: str, server: dict[str, str]) -> None:
    check_report(example(language, "import_orders", SMALL, env=server), "12 orders: 9 created, 3 refused")
    check_report(example(language, "import_orders", SMALL, env=server), "12 orders: 9 updated, 3 refused")
    assert count_contacts(server) == 6


@pytest.mark.parametrize("language", INTERPRETERS)
def test_examples_in_process(language: str) -> None:
    assert "order 1001 updated" in example(language, "quickstart", env=environment())
    check_report(example(language, "import_orders", SMALL, env=environment()), "12 orders: 9 created, 3 refused")


def test_both_languages_send_the_same_orders() -> None:
    sent = {}
    for language in INTERPRETERS:
        with recorded() as (orders, env):
            example(language, "import_orders", SMALL, env=env)
        sent[language] = orders
    assert sent["python"] == sent["ruby"]

    totals: dict[str, Decimal] = {}
    for row in csv.DictReader((ROOT / SMALL).read_text(encoding="utf-8").splitlines()):
        amount = int(row["Quantity"]) * Decimal(row["UnitPrice"])
        totals[row["InvoiceNo"]] = totals.get(row["InvoiceNo"], Decimal(0)) + amount
    assert totals["700002"] == Decimal("29.60") and totals["700005"] == Decimal("20.47")
    assert {order["order_id"]: order["total"] for order in sent["python"]} == {
        number: total for number, total in totals.items() if number not in REFUSED
    }
    assert {order["order_date"] for order in sent["python"]} >= {"2024-03-04T09:12:00Z", "2024-03-05T00:00:00Z"}
    assert {item["name"] for order in sent["python"] for item in order["line_items"]} >= {"CAFÉ CRÈME MUG – BLEU"}
    assert all(order["initial_sync"] is True and order["currency"] == "GBP" for order in sent["python"])


def test_a_wrong_total_is_loud() -> None:
    for language in INTERPRETERS:
        with recorded(surplus=Decimal("0.01")) as (_, env), pytest.raises(AssertionError, match="stored is"):
            example(language, "import_orders", SMALL, env=env)


@contextmanager
def recorded(surplus: Decimal = Decimal(0)) -> Iterator[tuple[list[dict[str, Any]], dict[str, str]]]:
    """A server that keeps the orders it is sent and answers each with its total, or `surplus` more."""
    orders: list[dict[str, Any]] = []

    class Recorder(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            order = json.loads(body, parse_float=Decimal, parse_int=Decimal)
            orders.append(order)
            data = {"order_id": order["order_id"], "total_amount": f"{order['total'] + surplus:.2f}"}
            answer = json.dumps({"data": data}).encode()
            self.send_response(201)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        base_url = f"http://127.0.0.1:{server.server_port}/v1"
        yield orders, environment(PRIVY_BASE_URL=base_url, PRIVY_API_TOKEN="privy_" + "0" * 40)
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("language", INTERPRETERS)
def test_quickstart_stays_short(language: str) -> None:
    assert len((ROOT / f"examples/quickstart{ENDING[language]}").read_text().splitlines()) < 60
