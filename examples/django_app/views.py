import privy.django
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST


@require_POST
def subscribe(request: HttpRequest) -> JsonResponse:
    """Called by a form of the shop."""
    contact = privy.django.client().contacts.upsert(
        email=request.POST.get("email", ""), email_consent="subscribed", tags=request.POST.getlist("tag")
    )
    return JsonResponse(contact.to_dict(json=True))


def contact(request: HttpRequest, id: str) -> JsonResponse:
    return JsonResponse(privy.django.client().contacts.get(id).to_dict(json=True))


async def contacts(request: HttpRequest) -> JsonResponse:
    page = await anext(privy.django.async_client().contacts.list(per_page=25).pages())
    return JsonResponse(page.to_dict(json=True))
