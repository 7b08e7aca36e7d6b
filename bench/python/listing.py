"""All contacts of a list, with 5 ms of CPU work a page, by the thread's clock."""

import time

import request

WORK = 5e-3 / 100  # seconds of CPU a contact


def use(contact):
    """Keeps this thread's CPU busy, whatever other threads do meanwhile."""
    until = time.thread_time() + WORK
    while time.thread_time() < until:
        pass
    return contact.id is not None


def privy(base_url, token):
    import privy

    client = privy.Client(base_url=base_url, token=token)

    def every():
        return sum(use(contact) for contact in client.contacts.list())

    return every, every


def sequential(path):
    """The fastest loop of the peers' parts: pycurl, msgspec; the next page is asked for when this one is used up."""
    import msgspec
    import pycurl

    class Contact(msgspec.Struct, gc=False):
        id: str

    class Place(msgspec.Struct):
        total_pages: int

    class Page(msgspec.Struct):
        data: list[Contact]
        pagination: Place

    url, headers, _ = request.read(path)
    base = url.partition("?")[0]
    curl = pycurl.Curl()
    curl.setopt(pycurl.PROXY, "")
    curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in headers.items()])
    decode = msgspec.json.Decoder(Page).decode

    def pages():
        number, last = 0, 1
        while number < last:
            number += 1
            curl.setopt(pycurl.URL, f"{base}?page={number}&per_page=100")
            page = decode(curl.perform_rb())
            last = page.pagination.total_pages
            yield page.data

    def every():
        return sum(use(contact) for page in pages() for contact in page)

    return every, every
