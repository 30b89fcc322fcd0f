"""Work through the plan: read a frame, see who is there, write the line, draw what the line says."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from mask_detector.annotate.plan import Job
from mask_detector.annotate.record import Line, Record, drawn_from, is_finished
from mask_detector.annotate.stop import Stop
from mask_detector.blurring import blur_faces
from mask_detector.crops import Image
from mask_detector.drawing import draw_detections
from mask_detector.errors import CopyError, ImageError, MaskDetectorError
from mask_detector.follow import People, VideoDetector
from mask_detector.frame_sources import Frame, FrameSource, Unreadable, is_picture, open_source
from mask_detector.outputs import JsonLines, VideoWriter, frame_line, write_picture
from mask_detector.pipeline import MaskDetector
from mask_detector.quiet import libraries_muted


@dataclass
class Tally:
    """What the lines of a run say, those of the run that it resumes included."""

    frames: int = 0
    errors: int = 0
    faces: Counter[str] = field(default_factory=Counter)

    def add(self, line: Line) -> None:
        self.frames += "error" not in line
        self.errors += "error" in line
        self.faces.update(entry["class_id"] for entry in line.get("detections", ()))


class Annotator:
    """Annotates one job after another.

    Args:
        blur: whether the copies show no face.

    Attributes:
        tally: what was found so far.
        stopped_at: where a signal ended the work; empty where none did, or only a live source was left.
        left_bare: copies of a former run that were to be blurred and could not be.
    """

    def __init__(
        self, detector: MaskDetector, lines: JsonLines, record: Record, stop: Stop, bar: tqdm, blur: bool
    ) -> None:
        self._detector = detector
        self._lines = lines
        self._record = record
        self._stop = stop
        self._bar = bar
        self._blur = blur
        self.tally = Tally()
        self.stopped_at = ""
        self.left_bare: list[Path] = []

    def run(self, jobs: list[Job]) -> None:
        """Annotate all jobs, or what is done of them when a signal comes.

        Raises:
            MaskDetectorError: results cannot be written, or a live source is to be resumed.
        """
        for job in jobs:
            if self._stop.signal:
                self.stopped_at = self.stopped_at or f"before '{job.source}'"
                return
            self._annotate(job)

    def _annotate(self, job: Job) -> None:
        known = self._record.get(job.source, {})
        drawn_anew = self._blur and job.copy  # the former run may not have blurred
        try:
            if is_finished(job, known) and not drawn_anew:
                self._expect(len(known))
                for line in known.values():
                    self._count(line)
                return
            with libraries_muted():
                source = open_source(job.spec)
        except ImageError as error:
            self._fail(Unreadable(job.source, 0, error), known)
            self._warn_of_bare(job)
            return
        with source, _video(job, source) as video:
            if source.live and known:
                raise MaskDetectorError(f"'{job.source}' is live and cannot be resumed: use another --json")
            self._expect(source.count)
            self._annotate_frames(job, source, known, video)

    def _annotate_frames(
        self, job: Job, source: FrameSource, known: dict[int, Line], video: VideoWriter | None
    ) -> None:
        people = None if is_picture(job.spec) else People(self._detector.class_ids)
        copied = job.copy is not None
        for item in _read_quietly(source):
            if isinstance(item, Unreadable):
                self._fail(item, known)
            else:
                line = self._line(item, known, people)
                self._count(line)
                copied = copied and self._copy(item, line, job, source.live, video)
            if self._stop.signal:
                self.stopped_at = "" if source.live else f"after frame {item.index} of '{job.source}'"
                return

    def _line(self, frame: Frame, known: dict[int, Line], people: People | None) -> Line:
        """Return the line of a frame: the recorded one where there is one, else a new one, written."""
        line = known.get(frame.index)
        if line is None:
            line = self._finding(frame, people)
            self._lines.write(line)
        if people:
            # From the line, also where it is new: a resumed run then goes on exactly as this one.
            people.learn(drawn_from(line), frame.time)
        return line

    def _fail(self, item: Unreadable, known: dict[int, Line]) -> None:
        """Tell what cannot be read, and write its line; what a former run saw of it stays."""
        self._say(str(item.error))
        line = {"source": item.source, "frame": item.index, "error": str(item.error)}
        if item.index not in known:
            self._lines.write(line)
        self._count(line)

    def _say(self, text: str) -> None:
        self._bar.write(f"annotate: {text}", file=sys.stderr)

    def _warn_of_bare(self, job: Job) -> None:
        if self._blur and job.copy and job.copy.exists():
            self._say(f"'{job.copy}' is of a former run and may show faces: delete it")
            self.left_bare.append(job.copy)

    def _finding(self, frame: Frame, people: People | None) -> Line:
        if people is None:
            return frame_line(frame, self._detector.detect(frame.image))
        return frame_line(frame, VideoDetector(self._detector, people).see(frame.image, frame.time).people)

    def _copy(self, frame: Frame, line: Line, job: Job, live: bool, video: VideoWriter | None) -> bool:
        """Draw a frame into its copy; tell and return False if there can be none."""
        try:
            self._draw(frame, line, job, live, video)
        except CopyError as error:
            self._say(str(error))
            self.tally.errors += 1
            return False
        return True

    def _draw(self, frame: Frame, line: Line, job: Job, live: bool, video: VideoWriter | None) -> None:
        drawn = draw_detections(self._shown(frame.image), drawn_from(line))
        if video:
            video.write(drawn, frame.time if live else None)
        else:
            write_picture(job.copy, drawn)

    def _shown(self, image: Image) -> Image:
        """Return the image, blurred if that is wished: uncertain faces too, which no line has."""
        if not self._blur:
            return image
        return blur_faces(image, self._detector.find(image)[:, :4])

    def _expect(self, frames: int) -> None:
        """Let a job, which stood for 1 in the bar's total, stand for its frames; 0 if they are not known."""
        self._bar.total = self._bar.total + frames - 1 if self._bar.total and frames else None

    def _count(self, line: Line) -> None:
        self.tally.add(line)
        self._bar.set_postfix_str(os.path.basename(line["source"]), refresh=False)
        self._bar.update()


def _video(job: Job, source: FrameSource) -> AbstractContextManager[VideoWriter | None]:
    wanted = job.copy and not is_picture(job.spec)
    return VideoWriter(job.copy, source.rate) if wanted else nullcontext()


def _read_quietly(source: FrameSource) -> Iterator[Frame | Unreadable]:
    items = iter(source)
    while True:
        with libraries_muted():
            item = next(items, None)
        if item is None:
            return
        yield item
