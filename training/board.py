"""The history for TensorBoard, beside history.csv, where TensorBoard is installed.

tensorboard --logdir runs
"""

from pathlib import Path
from typing import Any, Protocol


class Board(Protocol):
    """Shows the facts of an epoch."""

    def show(self, facts: dict[str, Any]) -> None: ...


class _Nowhere:
    """In place of a board where there is no TensorBoard: history.csv and curves.png hold the same."""

    def show(self, facts: dict[str, Any]) -> None:
        pass


class _TensorBoard:
    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def show(self, facts: dict[str, Any]) -> None:
        for key, value in facts.items():
            if key != "epoch":
                self._writer.add_scalar(key, value, facts["epoch"])
        self._writer.flush()


def open_board(folder: Path) -> Board:
    """Return a board that writes into `folder`; a resumed run goes on in a file of its own there."""
    try:
        from tensorboard.summary import Writer
    except ImportError:
        return _Nowhere()
    return _TensorBoard(Writer(str(folder)))
