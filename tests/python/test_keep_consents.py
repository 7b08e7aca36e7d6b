"""A run that keeps consents subscribes nobody who has unsubscribed."""

import pytest
from privy import Sandbox

ROWS = [
    {"email": "left@example.com", "email_consent": "subscribed", "first_name": "Lee"},
    {"email": "new@example.com", "email_consent": "subscribed"},
]


@pytest.fixture
def sandbox() -> Sandbox:
    sandbox = Sandbox()
    with sandbox.client() as client:
        client.contacts.create(email="left@example.com", email_consent="unsubscribed")
    return sandbox


def consents(sandbox: Sandbox) -> dict[str, str]:
    with sandbox.client() as client:
        return {str(contact.email): contact.email_consent for contact in client.contacts.list()}


def test_only_new_contacts_are_subscribed(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        run = client.contacts.upsert_many(ROWS)
        run.keep_consents()
        report = run.run()
        assert (report.created, report.updated, report.failed) == (1, 1, 0)
        assert next(iter(client.contacts.list(email="left@example.com"))).first_name == "Lee"
    assert consents(sandbox) == {"left@example.com": "unsubscribed", "new@example.com": "subscribed"}


def test_without_it_a_row_subscribes(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        client.contacts.upsert_many(ROWS).run()
    assert consents(sandbox) == {"left@example.com": "subscribed", "new@example.com": "subscribed"}


def test_a_run_that_has_ended_ignores_it(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        run = client.contacts.upsert_many([])
        run.run()
        run.keep_consents()
