"""The page itself, its connection, and what its buttons do."""

import json
import logging
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import PurePath
from typing import Any, Protocol

from aiohttp import web

from mask_detector.errors import MaskDetectorError
from mask_detector.viewer.examiner import Busy, Examiner
from mask_detector.viewer.live import Live
from mask_detector.viewer.page_socket import PageSocket
from mask_detector.viewer.uploads import MOST_BYTES

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_MOST_PAGES = 64
_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Detectors(Protocol):
    """What can be asked of the detectors; both raise MaskDetectorError with the reason if it is refused."""

    async def set_parameter(self, name: str, parameter: str, value: float) -> None: ...

    async def enable(self, name: str, enabled: bool) -> None: ...


class Pages:
    """Everything but the past.

    Args:
        about: what the page says of classes and of privacy.
        blur: whether faces are blurred whatever the detectors do.
    """

    def __init__(
        self, live: Live, detectors: Detectors, examiner: Examiner, about: dict[str, Any], blur: bool
    ) -> None:
        self._live, self._detectors, self._about, self._blur = live, detectors, about, blur
        self._examiner = examiner
        self._sockets: set[PageSocket] = set()
        self._files = {path.name: path.read_bytes() for path in _static_files()}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self._index),
            web.get("/review", self._review),
            web.get("/healthz", self._healthz),
            web.get("/static/{name}", self._file),
            web.get("/live", self._connect),
            web.get("/crops/{number:[0-9]{1,12}}", self._crop),
            web.get("/api/about", self._tell_about),
            web.post("/api/enable", self._enable),
            web.post("/api/settings", self._set),
            web.post("/api/classify", self._classify),
        ]

    async def close(self, _: web.Application) -> None:
        """Say goodbye to the pages, so that nothing holds the end up."""
        for socket in list(self._sockets):
            await socket.socket.close(code=1001)
        self._examiner.close()

    def _answer(self, name: str) -> web.Response:
        if name not in self._files:
            raise web.HTTPNotFound(text="There is nothing here.\n")
        kind = _KINDS.get(PurePath(name).suffix, "text/plain")
        return web.Response(body=self._files[name], content_type=kind, charset="utf-8")

    async def _index(self, _: web.Request) -> web.Response:
        return self._answer("index.html")

    async def _review(self, _: web.Request) -> web.Response:
        return self._answer("review.html")

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _file(self, request: web.Request) -> web.Response:
        return self._answer(request.match_info["name"])

    async def _connect(self, request: web.Request) -> web.WebSocketResponse:
        if len(self._sockets) >= _MOST_PAGES:
            raise web.HTTPServiceUnavailable(text=f"{_MOST_PAGES} pages are open already.\n")
        socket = PageSocket(self._live)
        self._sockets.add(socket)
        try:
            return await socket.serve(request)
        finally:
            self._sockets.discard(socket)

    async def _crop(self, request: web.Request) -> web.Response:
        jpeg = self._live.crop(int(request.match_info["number"]))
        if not jpeg:
            raise web.HTTPNotFound(text="This face is not kept any more.\n")
        return web.Response(body=jpeg, content_type="image/jpeg")

    async def _tell_about(self, _: web.Request) -> web.Response:
        return web.json_response(self._about)

    async def _enable(self, request: web.Request) -> web.Response:
        asked = await read_json(request, camera=str, enabled=bool)
        await self._detectors.enable(asked["camera"], asked["enabled"])
        return web.json_response({})

    async def _set(self, request: web.Request) -> web.Response:
        asked = await read_json(request, camera=str, name=str, value=(int, float))
        camera = self._live.cameras.get(asked["camera"])
        setting = (
            next((one for one in camera.settings if one.name == asked["name"]), None) if camera else None
        )
        if setting is None:
            raise MaskDetectorError(f"no setting '{asked['name']}' of '{asked['camera']}' is known")
        value = int(asked["value"]) if setting.whole else float(asked["value"])
        await self._detectors.set_parameter(camera.name, setting.name, value)
        return web.json_response({})

    async def _classify(self, request: web.Request) -> web.Response:
        content = await request.read()
        blurred = self._blur or any(camera.blurred for camera in self._live.cameras.values())
        return web.json_response(await self._examiner.examine(content, blurred))


async def read_json(request: web.Request, **fields: type | tuple[type, ...]) -> dict[str, Any]:
    """Return an object of JSON that has these fields, of these types; raise MaskDetectorError otherwise."""
    if request.content_type != "application/json":
        raise MaskDetectorError("send application/json")
    try:
        content = json.loads(await request.text())
    except ValueError:
        content = None
    for name, kind in fields.items():
        value = content.get(name) if isinstance(content, dict) else None
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise MaskDetectorError(f"'{name}' is missing, or of the wrong type")
    return content


@web.middleware
async def tell_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer errors with one line that tells what to do, as JSON."""
    try:
        return await handler(request)
    except web.HTTPRequestEntityTooLarge:
        return _error(413, f"more than {MOST_BYTES // 1_000_000} MB: send a smaller picture")
    except Busy as error:
        return _error(503, str(error))
    except MaskDetectorError as error:
        return _error(400, str(error))
    except (web.HTTPException, ConnectionError):
        raise
    except Exception:
        logging.getLogger(__name__).exception("request failed: %s", request.path)
        return _error(500, "the viewer failed at this; its log tells why")


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)


def _static_files():
    folder = files("mask_detector.viewer") / "static"
    return [path for place in (folder, folder / "vendor") for path in place.iterdir() if path.is_file()]
