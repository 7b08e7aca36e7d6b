"""The halves of a call: `page` reads an answer, `call` builds a request and gives its body instead of sending it."""

import importlib.util
from importlib.machinery import ExtensionFileLoader

import privy._core as core

_loader = ExtensionFileLoader("_probe", core.__file__)
_spec = importlib.util.spec_from_loader("_probe", _loader)
_probe = importlib.util.module_from_spec(_spec)
call = _probe.caller(core)


def page(body):
    return _probe.page(core, "contacts.list", body)
