"""Contacts and orders of a shop as a web service: uvicorn fastapi_app:app (in the folder examples).

It works on Privy if PRIVY_API_TOKEN is set, otherwise on a sandbox inside this process.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

import privy
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from privy.types import OrderRow
from pydantic import BaseModel


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
    real = "PRIVY_API_TOKEN" in os.environ
    async with privy.AsyncClient(max_wait=5) if real else privy.Sandbox().async_client(max_wait=5) as client:
        app.state.privy = client
        yield


app = FastAPI(lifespan=lifespan)


def privy_client(request: Request) -> privy.AsyncClient:
    client: privy.AsyncClient = request.app.state.privy
    return client


Privy = Annotated[privy.AsyncClient, Depends(privy_client)]


# The worker of a page cannot wait for minutes: max_wait is short, and the browser learns when to come back.
@app.exception_handler(privy.PrivyError)
async def privy_failed(request: Request, error: privy.PrivyError) -> JSONResponse:
    match error:
        case privy.ValidationError():
            return JSONResponse({"detail": error.details}, 422)
        case privy.NotFoundError():
            return JSONResponse({"detail": "there is no such contact"}, 404)
        case privy.ConflictError():
            return JSONResponse({"detail": "the contact exists", "contact_id": error.contact_id}, 409)
        case privy.RateLimitError():
            return JSONResponse({"detail": "busy"}, 503, {"Retry-After": str(int(error.retry_after or 0) + 1)})
        case _:
            return JSONResponse({"detail": "Privy cannot be reached"}, 502)


class NewContact(BaseModel):
    email: str
    first_name: str | None = None
    tags: list[str] = []


class Stored(BaseModel):
    order: privy.Order
    contact: privy.Contact | None


@app.post("/contacts", status_code=201)
async def create(contact: NewContact, client: Privy) -> privy.Contact:
    return await client.contacts.create(**contact.model_dump(exclude_unset=True))


@app.get("/contacts")
async def page(client: Privy, page: int = 1, per_page: int = 25) -> privy.Page:
    return await anext(client.contacts.list(page=page, per_page=per_page).pages())


@app.get("/contacts/{id}")
async def get(id: str, client: Privy) -> privy.Contact:
    return await client.contacts.get(id)


@app.post("/orders")
async def place(order: OrderRow, client: Privy, response: Response) -> Stored:
    stored = await client.orders.upsert(**order)
    response.status_code = 201 if stored.created else 200
    contacts = await client.contacts.list(email=order["email"]).first(1) if "email" in order else []
    return Stored(order=stored, contact=contacts[0] if contacts else None)
