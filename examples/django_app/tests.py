import json
from urllib.request import urlopen

import privy.django
from django.test import LiveServerTestCase, SimpleTestCase
from privy.django.test import SandboxMixin


class Subscribing(SandboxMixin, SimpleTestCase):
    def test_a_form_subscribes_a_contact(self) -> None:
        response = self.client.post("/subscribe", {"email": "jane@example.com", "tag": ["news"]})
        self.assertEqual(response.status_code, 200)
        (jane,) = self.privy_sandbox.contacts.values()
        self.assertEqual((jane.email, jane.email_consent, jane.tags), ("jane@example.com", "subscribed", ("news",)))
        self.assertEqual(self.client.get(f"/contacts/{jane.id}").json(), jane.to_dict(json=True))

    def test_an_invalid_address_is_reported_by_field(self) -> None:
        response = self.client.post("/subscribe", {"email": "nobody"})
        self.assertEqual(response.status_code, 422)
        self.assertEqual(response.json()["errors"][0]["field"], "email")
        self.assertEqual(self.privy_sandbox.counts.requests, 0)

    def test_a_busy_account_asks_to_come_back(self) -> None:
        self.privy_sandbox.fail(status=429, retry_after=60)
        self.assertEqual(self.client.get("/contacts").headers["Retry-After"], "61")


class Listing(SandboxMixin, SimpleTestCase):
    async def test_an_asynchronous_view_lists_contacts(self) -> None:
        client = self.privy_sandbox.client()
        client.contacts.create(email="jane@example.com")
        body = (await self.async_client.get("/contacts")).json()
        self.assertEqual([contact["email"] for contact in body["data"]], ["jane@example.com"])
        self.assertEqual(body["pagination"]["total_count"], 1)


class OverHttp(SandboxMixin, LiveServerTestCase):
    def setUp(self) -> None:
        self.jane = privy.django.client().contacts.create(email="jane@example.com")

    def test_the_server_uses_the_sandbox_of_the_test(self) -> None:
        with urlopen(f"{self.live_server_url}/contacts/{self.jane.id}") as response:
            self.assertEqual(json.load(response)["email"], "jane@example.com")
