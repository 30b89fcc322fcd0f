"""One page's connection: the state as it changes, and pictures as fast as the page takes them.

The server sends JSON texts, {"cameras": …}, {"settings": …} and {"changes": …}, each when it differs from
what the page has. The page asks for a picture with {"next": CAMERA}, and asks again once it has drawn
it; the answer is binary: the length of the camera's name in one byte, the name, the JPEG.
"""

import asyncio
import json
from contextlib import suppress

from aiohttp import WSMsgType, web

from mask_detector.viewer.live import Live

_STATE_EVERY = 0.2  # seconds
_LONGEST_REQUEST = 1024  # bytes
_HEARTBEAT = 20.0  # seconds until a page that has silently gone is noticed, about
_RENEW = 1.0  # seconds until a page that still waits says so again


class PageSocket:
    """Serves one page until it goes."""

    def __init__(self, live: Live) -> None:
        self.socket = web.WebSocketResponse(
            heartbeat=_HEARTBEAT, compress=False, max_msg_size=_LONGEST_REQUEST
        )
        self._live = live
        self._told: dict[str, str] = {}
        self._asked: set[str] = set()
        self._shown: dict[str, int] = {}

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Answer a request for a connection."""
        await self.socket.prepare(request)
        tasks = [asyncio.create_task(self._quietly(work)) for work in (self._state, self._pictures)]
        try:
            async for message in self.socket:
                if message.type != WSMsgType.TEXT or not self._ask(message.data):
                    break
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.socket.close()
        return self.socket

    def _ask(self, text: str) -> bool:
        """Note that a page wants a camera's next picture; tell whether that was what it said."""
        try:
            name = json.loads(text)["next"]
        except (ValueError, TypeError, KeyError):
            return False
        if not isinstance(name, str):
            return False
        if name in self._live.cameras:
            self._asked.add(name)
            self._live.watch(name)
            self._live.pictures.set()
        return True

    async def _quietly(self, work) -> None:
        with suppress(ConnectionError, RuntimeError):  # the page has gone meanwhile
            await work()

    async def _state(self) -> None:
        while True:
            for part, text in self._live.parts().items():
                if self._told.get(part) != text:
                    await self.socket.send_str(text)
                    self._told[part] = text
            await asyncio.sleep(_STATE_EVERY)

    async def _pictures(self) -> None:
        while True:
            for name in sorted(self._asked):
                picture = self._live.watch(name)
                if picture and picture.number != self._shown.get(name):
                    self._asked.discard(name)
                    self._shown[name] = picture.number
                    head = name.encode()
                    await self.socket.send_bytes(bytes([len(head)]) + head + picture.jpeg)
            await self._live.pictures.wait(_RENEW)
