"""yyjson through py-yyjson: the document of a page, nothing converted."""

from pathlib import Path

from yyjson import Document


def page(path):
    body = Path(path).read_bytes()
    return lambda: Document(body), lambda: Document(body).as_obj["data"]


def least(path):
    """The same call for the smallest document there is: what Python's part of it costs."""
    return lambda: Document(b"1"), lambda: Document(b"1").as_obj
