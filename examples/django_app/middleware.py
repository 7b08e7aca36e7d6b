from collections.abc import Callable

import privy
from django.http import HttpRequest, HttpResponse, JsonResponse


class PrivyErrors:
    """Turns the errors of privy into responses."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        match error:
            case privy.ValidationError():
                return JsonResponse({"errors": error.details}, status=422)
            case privy.NotFoundError():
                return JsonResponse({"error": "there is no such contact"}, status=404)
            case privy.RateLimitError():
                seconds = int(error.retry_after or 0) + 1
                return JsonResponse({"error": "busy"}, status=503, headers={"Retry-After": seconds})
            case privy.PrivyError():
                return JsonResponse({"error": "Privy cannot be reached"}, status=502)
            case _:
                return None
