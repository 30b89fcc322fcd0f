"""The review page: faces that wait for a name, and what a person decides."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict

from aiohttp import web

from mask_detector.crops import Image
from mask_detector.detection import Detection
from mask_detector.errors import MaskDetectorError
from mask_detector.viewer.examiner import Busy, Examiner
from mask_detector.viewer.labelling import Labelling
from mask_detector.viewer.pages import read_json


class Review:
    """Shows and moves the faces of the labelling loop."""

    def __init__(self, labelling: Labelling, examiner: Examiner) -> None:
        self._labelling, self._examiner = labelling, examiner
        self._told = False

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/review/faces/{name}", self._face),
            web.get("/api/review", self._list),
            web.post("/api/review/decide", self._decide),
            web.post("/api/review/undo", self._undo),
        ]

    async def collect(self, camera: str, image: Image, people: Sequence[Detection]) -> None:
        """Keep those faces of an image that teach something, when the examiner has a moment.

        What keeps it from that, such as a full disk, is told once until it is over.
        """
        try:
            people, glances = await self._examiner.glances(image, people)
            await asyncio.to_thread(self._labelling.keep, camera, image, people, glances)
            self._told = False
        except Busy:
            return
        except (OSError, MaskDetectorError) as error:
            if not self._told:
                print(f"viewer: faces not collected, trying on: {error}", file=sys.stderr)
            self._told = True

    async def _face(self, request: web.Request) -> web.Response:
        jpeg = await asyncio.to_thread(self._labelling.read, request.match_info["name"])
        return web.Response(body=jpeg, content_type="image/jpeg")

    async def _list(self, _: web.Request) -> web.Response:
        waiting = await asyncio.to_thread(self._labelling.waiting)
        labelled = await asyncio.to_thread(self._labelling.labelled)
        return web.json_response({"waiting": [asdict(one) for one in waiting], "labelled": labelled})

    async def _decide(self, request: web.Request) -> web.Response:
        asked = await read_json(request, name=str, class_id=(str, type(None)))
        await asyncio.to_thread(self._labelling.decide, asked["name"], asked["class_id"])
        return web.json_response({})

    async def _undo(self, request: web.Request) -> web.Response:
        asked = await read_json(request, name=str, class_id=str)
        await asyncio.to_thread(self._labelling.undo, asked["name"], asked["class_id"])
        return web.json_response({})
