"""The tasks of test_celery.py. Its workers import them."""

from __future__ import annotations

import os
import signal
import time

import celery
import privy
import redis
from privy.celery import PrivyTask

SOCKET = os.environ["REDIS_SOCKET"]

app = celery.Celery("shop", broker=f"redis+socket://{SOCKET}", backend=f"redis+socket://{SOCKET}")
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 3600},
    task_track_started=True,
    task_reject_on_worker_lost=True,
    worker_hijack_root_logger=False,
)
client = privy.Client()
counters = redis.Redis(unix_socket_path=SOCKET)


def order(number: int) -> privy.Order:
    fields = {"email": f"c{number}@example.com", "total": "95.10", "currency": "USD"}
    return client.orders.upsert(order_id=1 + number, order_date="2026-05-12T10:00:00Z", **fields)


@app.task(base=PrivyTask, acks_late=True)
def store(number):
    counters.incr("executions")
    order(number)


@app.task(base=PrivyTask, acks_late=True)
def return_order(number):
    return order(number)


@app.task(base=PrivyTask, acks_late=True)
def order_id_of(record):
    return [type(record).__name__, record.order_id, record]


@app.task(base=PrivyTask, bind=True, acks_late=True)
def sell(self, number):
    """The first worker that runs it dies after the order and the event, before the task ends."""
    order(number)
    client.events.ingest("Sold", email=f"c{number}@example.com", idempotency_key=self.idempotency_key)
    if counters.set(f"died {number}", 1, nx=True):
        os.kill(os.getpid(), signal.SIGKILL)


@app.task(base=PrivyTask, acks_late=True)
def invalid():
    counters.incr("invalid")
    client.orders.upsert(order_id="", email="nobody", total="x", currency="USD", order_date="never")


@app.task(base=PrivyTask, acks_late=True, autoretry_for=(Exception,), max_retries=0)
def list_contacts():
    counters.incr("listed")
    client.contacts.list().total_count()


@app.task(base=PrivyTask, autoretry_for=(ZeroDivisionError,), max_retries=2, default_retry_delay=0)
def divide():
    counters.incr("divided")
    return 1 / 0


@app.task(base=PrivyTask, give_up_after=2)
def impatient():
    counters.incr("impatient")
    client.contacts.list().total_count()


@app.task(base=PrivyTask)
def waits_itself(max_wait):
    counters.incr("waited")
    began = time.monotonic()
    client.contacts.list(max_wait=max_wait).total_count()
    return time.monotonic() - began


@app.task(base=PrivyTask, bind=True)
def countdown(self, number):
    return self(number - 1) if number else "start"
