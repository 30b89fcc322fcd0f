"""What the core returns: one `Detection` for every face."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Detection:
    """A face and how its mask is worn.

    Attributes:
        box: x, y, width, height in float pixels of the input image, wholly inside it.
        scores: probability of every class, most likely first; they sum to 1.
        id: the person, stable from frame to frame; empty where nobody is followed.
    """

    box: tuple[float, float, float, float]
    scores: dict[str, float]
    id: str = ""

    @property
    def class_id(self) -> str:
        """The most likely class."""
        return next(iter(self.scores))

    @property
    def score(self) -> float:
        """The probability of the most likely class."""
        return next(iter(self.scores.values()))

    def to_json(self) -> dict[str, Any]:
        """Return the detection as it stands in a line of JSON."""
        return {
            "box": [round(value, 2) for value in self.box],
            "class_id": self.class_id,
            "score": round(self.score, 4),
            "scores": {class_id: round(score, 4) for class_id, score in self.scores.items()},
            "id": self.id,
        }

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> "Detection":
        """Return the detection that `to_json` wrote; raise KeyError or TypeError on anything else."""
        return cls(tuple(entry["box"]), dict(entry["scores"]), entry["id"])
