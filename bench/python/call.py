"""One call on a kept connection: GET of one contact. Peers send privy's headers and read the body's bytes, no more."""

import json

import request


def case(get):
    return get, lambda: json.loads(get())


def privy(base_url, token, contact_id):
    """From the method to the Contact; the answer is reported as the record's own fields."""
    import privy
    from plain import contact

    contacts = privy.Client(base_url=base_url, token=token).contacts
    return lambda: contacts.get(contact_id), lambda: {"data": contact(contacts.get(contact_id))}


def pycurl(path):
    import pycurl

    url, headers, _ = request.read(path)
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, url)
    curl.setopt(pycurl.PROXY, "")
    curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in headers.items()])
    perform = curl.perform_rb
    return case(perform)


def requests(path):
    import requests

    url, headers, _ = request.read(path)
    session = requests.Session()
    session.trust_env = False
    session.headers = headers
    return case(lambda: session.get(url).content)


def httpx(path):
    import httpx

    url, headers, _ = request.read(path)
    client = httpx.Client(headers=headers, trust_env=False)
    return case(lambda: client.get(url).content)
