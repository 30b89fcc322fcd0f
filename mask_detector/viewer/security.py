"""Who may see and do what: checks before every request, and headers on every answer.

Without a token the server listens on loopback alone, and only pages that were opened under a loopback
name are answered: a foreign page that has its own name point here (DNS rebinding) gets nothing. What
changes something, and the page's own connection, must come from a page of this server.
"""

import hmac
import ipaddress
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

OPEN_PATH = "/healthz"
_READING = ("GET", "HEAD")
_ADMIT = (
    "This page needs its token: open the address with ?token=… that the viewer printed when it started.\n"
)
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def is_loopback(host: str) -> bool:
    """Tell whether a host, as in an address or to bind to, is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def guard(token: str) -> Callable:
    """Return the middleware that lets in who may come in; `token` is empty where none is needed."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != OPEN_PATH:
            _require_own_host(request, token)
            if (answer := _admit(request, token)) is not None:
                return answer
            _require_own_page(request)
        return await handler(request)

    return middleware


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the headers on an answer that has none of its own."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "mask_detector"  # the framework's version is nobody's business


def _require_own_host(request: web.Request, token: str) -> None:
    if not token and not is_loopback(_host_of(request.host)):
        raise web.HTTPForbidden(text="This address is not one of this machine's loopback names.\n")


def _host_of(netloc: str) -> str:
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""


def _admit(request: web.Request, token: str) -> web.StreamResponse | None:
    """Return None for who shows the token; a redirect that hides it for who has it in the address."""
    if not token:
        return None
    cookie = f"mask_detector_{request.url.port}"
    if request.method == "GET" and _same(request.query.get("token", ""), token):
        answer = web.HTTPSeeOther(request.path)
        answer.set_cookie(cookie, token, httponly=True, samesite="Lax", path="/", secure=request.secure)
        return answer
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if _same(request.cookies.get(cookie, ""), token) or _same(bearer, token):
        return None
    raise web.HTTPUnauthorized(text=_ADMIT)


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


def _require_own_page(request: web.Request) -> None:
    """Refuse what a page of another server asks for; tools without an Origin are no pages."""
    changes = request.method not in _READING or "upgrade" in request.headers.get("Connection", "").lower()
    origin = request.headers.get("Origin")
    if changes and origin is not None and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text="This can be asked for by the viewer's own page only.\n")
    if changes and request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise web.HTTPForbidden(text="This can be asked for by the viewer's own page only.\n")
