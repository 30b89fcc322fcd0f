"""Puts the parts of the web server together, and opens its door."""

import asyncio
import errno
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from mask_detector.errors import MaskDetectorError
from mask_detector.viewer.options import PORT
from mask_detector.viewer.pages import Pages, tell_errors
from mask_detector.viewer.security import add_headers, guard
from mask_detector.viewer.uploads import MOST_BYTES

_GOODBYE = 3.0  # seconds until requests that still run are cut off


@asynccontextmanager
async def serving(
    pages: Pages, routes: Iterable[web.RouteDef], host: str, port: int | None, token: str
) -> AsyncIterator[int]:
    """Serve as long as the block lasts; gives the port.

    Raises:
        MaskDetectorError: the address cannot be listened on.
    """
    app = web.Application(middlewares=[tell_errors, guard(token)], client_max_size=MOST_BYTES)
    app.add_routes([*pages.routes(), *routes])
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(pages.close)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        yield await _listen(runner, host, port)
    finally:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(runner.cleanup(), _GOODBYE)


async def _listen(runner: web.AppRunner, host: str, port: int | None) -> int:
    wanted = [PORT, 0] if port is None else [port]
    for one in wanted:
        try:
            await web.TCPSite(runner, host, one).start()
            return runner.addresses[0][1]
        except OSError as error:
            if error.errno == errno.EADDRINUSE and one != wanted[-1]:
                continue
            reason = (
                "it is taken: name another --port" if error.errno == errno.EADDRINUSE else f"{error.strerror}"
            )
            raise MaskDetectorError(f"cannot listen on {host} port {one}: {reason}") from error
    raise AssertionError("unreachable")
