"""The past: charts, reports and files to take away."""

import asyncio
import base64
import hashlib
import math
import time
from datetime import datetime

from aiohttp import web

from mask_detector.errors import MaskDetectorError
from mask_detector.viewer.export import FORMATS, TABLES, export
from mask_detector.viewer.history import BUCKET, History, averages
from mask_detector.viewer.report import STYLE, report
from mask_detector.viewer.summary import summarise

_POINTS = 60  # of a chart
_MOST_HOURS = 24.0 * 366
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_REPORT_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'"


class Records:
    """Answers from the history; what takes long is done in a worker thread."""

    def __init__(self, history: History) -> None:
        self._history = history

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/history", self._chart),
            web.get("/report", self._report),
            web.get(f"/export/{{table:{'|'.join(TABLES)}}}.{{form:{'|'.join(FORMATS)}}}", self._export),
        ]

    async def _chart(self, request: web.Request) -> web.Response:
        begin, end = _period(request)
        step = max(1, math.ceil((end - begin) / _POINTS / BUCKET)) * BUCKET
        begin = begin // step * step
        rows = await asyncio.to_thread(self._history.presence, begin, end, step)
        points = averages(rows, request.query.get("camera", ""))
        starts = range(int(begin), int(end), step)
        return web.json_response({"step": step, "points": [[start, points.get(start)] for start in starts]})

    async def _report(self, request: web.Request) -> web.Response:
        begin, end = _period(request)
        html = await asyncio.to_thread(lambda: report(summarise(self._history, begin, end)))
        headers = {"Content-Security-Policy": _REPORT_POLICY}
        if "download" in request.query:
            headers["Content-Disposition"] = f'attachment; filename="mask_report_{_stamp(end)}.html"'
        return web.Response(text=html, content_type="text/html", headers=headers)

    async def _export(self, request: web.Request) -> web.Response:
        begin, end = _period(request)
        table, form = request.match_info["table"], request.match_info["form"]
        content = await asyncio.to_thread(export, self._history, table, form, begin, end)
        name = f"mask_{table}_{_stamp(end)}.{form}"
        headers = {"Content-Type": FORMATS[form], "Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=content, headers=headers)


def _period(request: web.Request) -> tuple[float, float]:
    """Return begin and end in seconds since 1970: `from` and `to` in local time, or the last `hours`."""
    query = request.query
    try:
        end = datetime.fromisoformat(query["to"]).timestamp() if "to" in query else time.time()
        hours = float(query.get("hours", 24))
        begin = datetime.fromisoformat(query["from"]).timestamp() if "from" in query else end - hours * 3600
    except (ValueError, OverflowError, OSError):
        raise MaskDetectorError("give hours=24, or from=2026-01-31T08:00 and to=2026-01-31T18:00") from None
    if not 0 < end - begin <= _MOST_HOURS * 3600:  # not a number is refused, too
        raise MaskDetectorError("the period must end after it begins, and last for a year at most")
    return begin, end


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%Y%m%d_%H%M")
