"""The command `viewer`: ROS in one thread, the web in the other."""

import asyncio
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from itertools import takewhile
from typing import Any
from urllib.parse import quote

import rclpy
from rclpy.signals import SignalHandlerOptions

from mask_detector.errors import MaskDetectorError
from mask_detector.node_main import log_options
from mask_detector.transport import transport_environment
from mask_detector.viewer.examiner import Examiner
from mask_detector.viewer.faces import Policy
from mask_detector.viewer.history import History
from mask_detector.viewer.labelling import Labelling
from mask_detector.viewer.live import Live
from mask_detector.viewer.looks import looks
from mask_detector.viewer.options import Options, parse, privacy
from mask_detector.viewer.pages import Pages
from mask_detector.viewer.records import Records
from mask_detector.viewer.review import Review
from mask_detector.viewer.ros_node import RosThread, ViewerNode
from mask_detector.viewer.server import serving

_NICE = 5  # a detector on the same machine goes first
_LOOK = 0.1  # seconds until a change of state is written
_WRITE_EVERY, _ROTATE_EVERY = 10, 36_000  # looks


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the viewer; return the exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    own = list(takewhile(lambda argument: argument != "--ros-args", arguments))
    options = parse(own)
    os.nice(_NICE)
    os.environ.update(transport_environment())
    try:
        given = [sys.argv[0], *arguments[len(own) :], *log_options()]
        rclpy.init(args=given, signal_handler_options=SignalHandlerOptions.NO)
        asyncio.run(_run(options))
        return 0
    except KeyboardInterrupt:  # before there was anything to end
        return 0
    except (MaskDetectorError, RuntimeError) as error:  # rclpy's own are RuntimeErrors
        print(f"viewer: {error}", file=sys.stderr)
        return 1
    finally:
        rclpy.try_shutdown()


async def _run(options: Options) -> None:
    with closing(History(options.history, options.limits)) as history:
        await _View(options, history).run()


class _View:
    """All parts of a running viewer."""

    def __init__(self, options: Options, history: History) -> None:
        self._options, self._history = options, history
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        self._live = Live([look.id for look in looks()], history)
        self._examiner = Examiner(options.classifier)
        self._review: Review | None = None
        if options.collect:
            self._review = Review(Labelling(options.collect, options.collect_most), self._examiner)

    async def run(self) -> None:
        """Serve until a signal comes."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._end.set)
        node = ViewerNode(self._live, self._loop, self._policy())
        thread = RosThread(node)
        keeper = asyncio.create_task(self._keep())
        try:
            await self._serve(node)
        finally:
            keeper.cancel()
            await asyncio.to_thread(thread.stop)

    async def _serve(self, node: ViewerNode) -> None:
        options = self._options
        pages = Pages(self._live, node, self._examiner, self._about(), options.blur)
        routes = Records(self._history).routes() + (self._review.routes() if self._review else [])
        async with serving(pages, routes, options.host, options.port, options.token) as port:
            with suppress(OSError):  # nobody reads it
                print(f"viewer: {_address(options, port)}", flush=True)
            await self._end.wait()

    def _policy(self) -> Policy:
        def collect(*of_image) -> None:
            asyncio.run_coroutine_threadsafe(self._review.collect(*of_image), self._loop)

        return Policy(self._options.blur, self._options.crops, collect if self._review else None)

    def _about(self) -> dict[str, Any]:
        return {
            "classes": [asdict(look) for look in looks()],
            "privacy": privacy(self._options),
            "review": self._review is not None,
        }

    async def _keep(self) -> None:
        """Write to the history what was seen; a full disk is told, and what waits is tried again."""
        looked, told = 0, False
        while True:
            await asyncio.sleep(_LOOK)
            looked += 1
            if not (self._history.urgent or looked % _WRITE_EVERY == 0):
                continue
            batch = self._history.take()
            try:
                await asyncio.to_thread(self._history.write, batch)
                if looked % _ROTATE_EVERY == 0:
                    await asyncio.to_thread(self._history.rotate)
                told = False
            except sqlite3.Error as error:
                self._history.put_back(batch)
                if not told:
                    print(f"viewer: history not written, trying on: {error}", file=sys.stderr)
                told = True


def _address(options: Options, port: int) -> str:
    host = socket.gethostname() if options.host in ("0.0.0.0", "::", "") else options.host
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{port}/" + (f"?token={quote(options.token, safe='')}" if options.token else "")
