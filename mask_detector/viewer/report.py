"""The report of a period: one HTML file without anything outside it, to be sent and to be printed."""

import math
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from html import escape
from importlib.resources import files

from mask_detector.viewer.charts import Bars, patterns, stacked
from mask_detector.viewer.looks import Look, looks
from mask_detector.viewer.summary import Shares, Summary, ahead_of_utc

STYLE = (files("mask_detector.viewer") / "static" / "report.css").read_text()

_NOTABLE = 0.05  # change of a share that is worth a word
_MOST_GAPS = 3  # that are named
_TOPS = [4 * step * 10**power for power in range(9) for step in (1, 2, 5)]  # of the axis of changes


def report(summary: Summary) -> str:
    """Return the report as HTML."""
    content = [_head(summary), _findings(summary)] if summary.all.watched else [_nothing(summary)]
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Mask wearing, {escape(_period(summary))}</title><style>{STYLE}</style></head>"
        f"<body>{patterns()}{''.join(content)}{_foot(summary)}</body></html>\n"
    )


def _nothing(summary: Summary) -> str:
    return (
        f"<h1>Mask wearing</h1><p>{escape(_period(summary))}</p>"
        '<p class="lead">No camera was watched in this period, so there is nothing to report.</p>'
    )


def _head(summary: Summary) -> str:
    return (
        f"<h1>Mask wearing</h1><p>{escape(_period(summary))} · {escape(_cameras(summary))}</p>"
        f'<p class="lead">{escape(_sentence(summary))}</p>{_tiles(summary.all)}{_remarks(summary)}'
    )


def _findings(summary: Summary) -> str:
    parts = []
    if summary.all.total:
        parts += ["<h2>How masks were worn, over time</h2>", _key(), _share_chart(summary), _gaps(summary)]
    if len(summary.cameras) > 1 or summary.all.total:
        parts += ["<h2>Camera by camera</h2>", _camera_table(summary)]
    parts += [f"<h2>Arrivals and changes per {_span(summary.change_step)}</h2>", _change_section(summary)]
    return "".join(parts)


def _tiles(shares: Shares) -> str:
    tiles = "".join(
        f"<div>{_swatch(look)}<b>{shares.share(look.id):.0%}</b>{look.symbol} {escape(look.title)}</div>"
        for look in looks()
    )
    return f'<div class="tiles">{tiles}</div>' if shares.total else ""


def _sentence(summary: Summary) -> str:
    if not summary.all.total:
        return f"In {_duration(summary.observed)} of watching nobody was in view."
    good, *others = looks()
    rest = ", ".join(f"{look.title} {summary.all.share(look.id):.0%}" for look in others)
    share = f"{summary.all.share(good.id):.0%}"
    return f"{good.title.capitalize()} for {share} of the time that people were in view; {rest}."


def _share_chart(summary: Summary) -> str:
    values = {
        start: {look.id: shares.share(look.id) for look in looks()}
        for start, shares in summary.intervals.items()
    }
    title = "Share of the time in view, by how the mask was worn"
    ticks = _ticks(summary.begin, summary.end)
    return stacked(Bars(title, summary.begin, summary.end, summary.step, values, 1.0, "{:.0%}".format, ticks))


def _remarks(summary: Summary) -> str:
    """Say what stands out: the trend, the best, the worst and the busiest interval, how much went on."""
    remarks = [*_trend(summary), *_busiest(summary)]
    if count := summary.all.changes:
        remarks.append(f"{_times(count)} somebody came into view or changed how the mask was worn.")
    return f"<ul>{''.join(f'<li>{escape(remark)}</li>' for remark in remarks)}</ul>" if remarks else ""


def _trend(summary: Summary) -> Iterator[str]:
    """Say how the share of proper masks has changed, where it has by so much that it means something."""
    good = looks()[0]
    halves, extremes = summary.halves(), summary.extremes()
    if halves and abs(halves[1] - halves[0]) >= _NOTABLE:
        verb = "rose" if halves[1] > halves[0] else "fell"
        yield (
            f"“{good.title.capitalize()}” {verb} from {halves[0]:.0%} of the time in view in the first half "
            f"of the period to {halves[1]:.0%} in the second."
        )
    if extremes:
        worst, best = (summary.intervals[start].share(good.id) for start in extremes)
        if best - worst >= _NOTABLE:
            yield (
                f"The share of “{good.title}” was lowest {_when(extremes[0], summary)} ({worst:.0%}) "
                f"and highest {_when(extremes[1], summary)} ({best:.0%})."
            )


def _busiest(summary: Summary) -> Iterator[str]:
    busiest = summary.busiest()
    if busiest is not None and len(summary.intervals) > 1:
        people = _people(summary.intervals[busiest].total / summary.step)
        yield f"It was busiest {_when(busiest, summary)}, with {people} people in view on average."


def _gaps(summary: Summary) -> str:
    """Say why there is nothing to see where there is nothing."""
    gaps = summary.unwatched()
    words = ["Where there is no bar, nobody was in view."] if gaps or summary.quiet else []
    if gaps:
        told = ", ".join(_from_to(*gap) for gap in gaps[:_MOST_GAPS])
        more = f" and {len(gaps) - _MOST_GAPS} times more" if len(gaps) > _MOST_GAPS else ""
        words.append(f"No camera was watched {told}{more}.")
    return f'<p class="quiet">{escape(" ".join(words))}</p>' if words else ""


def _camera_table(summary: Summary) -> str:
    heads = "".join(f"<th>{look.symbol} {escape(look.title)}</th>" for look in looks())
    rows = "".join(_camera_row(name, shares) for name, shares in summary.cameras.items())
    return (
        '<div class="wide"><table><thead><tr><th>Camera</th><th>watched</th>'
        f"<th>people in view, on average</th>{heads}<th>arrivals and changes per hour</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _camera_row(name: str, shares: Shares) -> str:
    cells = [_duration(shares.watched), _people(shares.people)]
    cells += [f"{shares.share(look.id):.0%}" if shares.total else "–" for look in looks()]
    cells.append(f"{shares.changes / shares.watched * 3600:,.0f}" if shares.watched else "–")
    return f"<tr><td>{escape(_short(name))}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _short(name: str) -> str:
    """Return "entrance" for "/entrance/mask_detector", as the page does."""
    parts = name.strip("/").split("/")
    return " / ".join(parts[:-1] or parts)


def _change_section(summary: Summary) -> str:
    if not summary.changes:
        return "<p>Nobody came into view for long enough, and nobody changed how a mask was worn.</p>"
    values: dict[int, dict[str, float]] = defaultdict(dict)
    for (start, class_id), count in summary.changes.items():
        values[start][class_id] = count
    most = max(sum(counts.values()) for counts in values.values())
    top = next(top for top in _TOPS if top >= most)
    title = "How often somebody came into view, or changed how the mask was worn; by how it was worn then"
    ticks = _ticks(summary.begin, summary.end)
    bars = Bars(title, summary.begin, summary.end, summary.change_step, values, top, "{:.0f}".format, ticks)
    return f'<p class="quiet">{escape(title)}.</p>{_key()}{stacked(bars)}'


def _key() -> str:
    return f'<p class="key">{"".join(_key_entry(look) for look in looks())}</p>'


def _key_entry(look: Look) -> str:
    return f"<span>{_swatch(look)} {look.symbol} {escape(look.title)}</span>"


def _swatch(look: Look) -> str:
    return f'<svg aria-hidden="true"><rect width="100%" height="100%" fill="url(#fill-{look.id})"/></svg>'


def _foot(summary: Summary) -> str:
    watched = min(1.0, summary.observed / max(summary.end - summary.begin, 1.0))
    return (
        '<h2>How to read this</h2><p class="quiet">Shares are of time, not of persons: who is in view for '
        "two minutes counts twice as much as who is for one, and who comes back counts again. "
        f"On average a camera was watched for {watched:.0%} of the period. "
        "Small, turned or hidden faces are missed, and single judgements can be wrong; read shares as "
        "estimates. No picture and no identity was stored for this report.</p>"
        f'<p class="quiet">Made by mask_detector on {escape(_moment(time.time()))}; times are local '
        f"({escape(time.strftime('%Z'))}).</p>"
    )


def _period(summary: Summary) -> str:
    begin, end = datetime.fromtimestamp(summary.begin), datetime.fromtimestamp(summary.end)
    if _of_one_day(summary):
        return f"{begin:%A}, {_date(begin)}, {begin:%H:%M} to {end:%H:%M}"
    return f"{_date(begin)}, {begin:%H:%M} to {_date(end)}, {end:%H:%M}"


def _of_one_day(summary: Summary) -> bool:
    return datetime.fromtimestamp(summary.begin).date() == datetime.fromtimestamp(summary.end).date()


def _cameras(summary: Summary) -> str:
    return "1 camera" if len(summary.cameras) == 1 else f"{len(summary.cameras)} cameras"


def _when(start: int, summary: Summary) -> str:
    begin, middle, end = (datetime.fromtimestamp(start + summary.step * part) for part in (0, 0.5, 1))
    if summary.step >= 86400:
        return f"on {_date(middle)}"  # summer time may have moved its ends by an hour
    day = "" if _of_one_day(summary) else f"on {_date(begin)} "
    return f"{day}between {begin:%H:%M} and {end:%H:%M}"


def _date(day: datetime) -> str:
    return f"{day.day} {day:%B %Y}"


def _moment(at: float) -> str:
    moment = datetime.fromtimestamp(at)
    return f"{_date(moment)}, {moment:%H:%M}"


def _ticks(begin: float, end: float) -> list[tuple[float, str]]:
    """Return about six round local times."""
    steps = (60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800)
    step = next((step for step in steps if (end - begin) / step <= 7), steps[-1])
    written = "%d %b" if step >= 86400 else "%H:%M"
    ahead = ahead_of_utc(begin)
    first = math.ceil((begin + ahead) / step) * step - ahead
    times = [first + number * step for number in range(8) if first + number * step <= end]
    return [(at, datetime.fromtimestamp(at).strftime(written)) for at in times]


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"


def _from_to(begin: float, end: float) -> str:
    first, last = datetime.fromtimestamp(begin), datetime.fromtimestamp(end)
    if first.date() == last.date():
        return f"from {first:%H:%M} to {last:%H:%M}"
    return f"from {_moment(begin)} to {_moment(end)}"


def _people(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}"


def _times(count: int) -> str:
    return "Once" if count == 1 else f"{count:,} times"


def _span(step: int) -> str:
    names = {60: "minute", 3600: "hour", 86400: "day"}
    return names.get(step, _duration(step))
