"""What the credentials may do. The core names a request for each scope, which has no effect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .. import _core
from .._client import Client
from .._core import omit
from .._errors import AuthenticationError, PermissionDeniedError, PrivyError, ValidationError

OPTIONS: dict[str, Any] = {"timeout": 10, "max_wait": 0, "max_retries": 1}


@dataclass
class Access:
    """The scopes that were tried, and why no more were."""

    scopes: dict[str, PermissionDeniedError | None] = field(default_factory=dict)
    """None: the credentials have the scope."""
    error: PrivyError | None = None

    @property
    def word(self) -> str:
        """``accepted``, ``refused``, or ``unknown`` if no response says it."""
        if isinstance(self.error, AuthenticationError) or (self.scopes and None not in self.scopes.values()):
            return "refused"
        return "accepted" if self.scopes else "unknown"

    @property
    def granted(self) -> list[str]:
        """The scopes that the credentials have."""
        return [scope for scope, refusal in self.scopes.items() if refusal is None]

    @property
    def missing(self) -> list[str]:
        """The scopes that the credentials lack."""
        return [scope for scope, refusal in self.scopes.items() if refusal is not None]


def try_scopes(client: Client, most: int | None = None) -> Access:
    """Tries the scopes, with one request for each. An error other than a refusal ends it."""
    access = Access()
    asked = client.with_options(**OPTIONS)
    for scope, method, path, query, has_body in _core.probes()[:most]:
        target = f"{path}?{query}" if query else path
        try:
            asked.request(method, target, body={} if has_body else omit)
        except ValidationError:
            access.scopes[scope] = None
        except PermissionDeniedError as error:
            access.scopes[scope] = error
        except PrivyError as error:
            access.error = error
            break
        else:
            access.scopes[scope] = None
    return access
