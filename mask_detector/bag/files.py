"""Bags on disk: reading with words for what is wrong, and writing so that every end leaves a valid bag."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import vision_msgs
from rclpy.serialization import serialize_message
from rosbags.interfaces import (
    Connection,
    MessageDefinitionFormat,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from mask_detector.detection_output import DEPTH
from mask_detector.errors import MaskDetectorError

_VERSION = 9  # of the format, as Jazzy writes it
_CURE = "if its recorder was cut off, repair it with 'ros2 bag reindex' or 'mcap recover'"
_NO_HASH = "RIHS01_" + 64 * "0"
_EVER = QosTime(9_223_372_036, 854_775_807)
_LATCHED = Qos(
    QosHistory.KEEP_LAST, DEPTH, QosReliability.RELIABLE, QosDurability.TRANSIENT_LOCAL,
    _EVER, _EVER, QosLiveliness.AUTOMATIC, _EVER, avoid_ros_namespace_conventions=False,
)  # fmt: skip

Message = tuple[Connection, int, bytes]
"""Where a message belongs, when it was recorded in ns, and its bytes (CDR)."""


class BagError(MaskDetectorError):
    """A bag cannot be read or written."""


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """Open a bag: the folder, or one .mcap or .db3 file of it.

    Raises:
        BagError: it is missing or damaged.
    """
    if not path.exists():
        raise BagError(f"there is no bag '{path}'")
    try:
        reader = Reader(path)
        reader.open()
    except Exception as error:  # rosbags lets many kinds through where files are damaged
        raise BagError(f"'{path}' cannot be read as a bag: {_reason(error)}; {_CURE}") from error
    try:
        yield reader
    finally:
        reader.close()


def messages(reader: Reader) -> Iterator[Message]:
    """Yield all messages in the order of their recording.

    Raises:
        BagError: the bag is damaged farther on.
    """
    try:
        yield from reader.messages()
    except Exception as error:
        raise BagError(f"'{reader.path}' is damaged from here on: {_reason(error)}; {_CURE}") from error


def storage_of(path: Path) -> StoragePlugin:
    """Return how a bag is stored."""
    names = [file.name for file in path.iterdir()] if path.is_dir() else [path.name]
    mcap = any(".mcap" in name for name in names)
    return StoragePlugin.MCAP if mcap else StoragePlugin.SQLITE3


class BagWriter:
    """Writes a bag of copied and of new messages; whatever ends it, the bag is closed and valid.

    Raises:
        BagError: it exists already or cannot be written.
    """

    def __init__(self, path: Path, storage: StoragePlugin) -> None:
        self._path = path
        self._storage = storage
        self._types = typestore()
        self._copied: dict[tuple[str, str], Connection] = {}  # a bag may have a topic in several parts
        self._new: dict[str, Connection] = {}

    def __enter__(self) -> "BagWriter":
        with self._told():
            self._writer = Writer(self._path, version=_VERSION, storage_plugin=self._storage)
            self._writer.open()
        return self

    def __exit__(self, *_: object) -> None:
        with self._told():
            self._writer.close()  # not rosbags' own exit, which leaves an invalid bag after an error

    def copy(self, message: Message) -> None:
        """Write a message of another bag as it is."""
        connection, time, data = message
        with self._told():
            key = connection.topic, connection.msgtype
            if key not in self._copied:
                self._copied[key] = self._like(connection)
            self._writer.write(self._copied[key], time, data)

    def add(self, topic: str, message: Any, time: int) -> None:
        """Write a ROS message of ours; `time` of recording in ns."""
        with self._told():
            if topic not in self._new:
                self.announce(topic, type(message))
            self._writer.write(self._new[topic], time, serialize_message(message))

    def announce(self, topic: str, kind: type, latched: bool = False) -> None:
        """Let the bag have a topic, with messages or without; a player keeps the last of a latched one."""
        name = f"{kind.__module__.partition('.')[0]}/msg/{kind.__name__}"
        self._new[topic] = self._writer.add_connection(
            topic, name, typestore=self._types, offered_qos_profiles=[_LATCHED] if latched else []
        )

    def _like(self, connection: Connection) -> Connection:
        """Add a connection with the definition that its bag has, which older ones have not, or ours."""
        qos = connection.ext.offered_qos_profiles
        own: dict[str, Any] = {"typestore": self._types}
        if connection.msgdef.format != MessageDefinitionFormat.NONE and connection.digest:
            own = {"msgdef": connection.msgdef.data, "rihs01": connection.digest}
        elif connection.msgtype not in self._types.fielddefs:
            own = {"msgdef": "", "rihs01": connection.digest or _NO_HASH}
        return self._writer.add_connection(
            connection.topic, connection.msgtype, offered_qos_profiles=qos, **own
        )

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise BagError(f"'{self._path}' cannot be written: {_reason(error)}") from error


@cache
def typestore() -> Typestore:
    """Return what rosbags knows, and vision_msgs as it is installed above its Python module."""
    store = get_typestore(Stores.ROS2_JAZZY)
    for prefix in Path(vision_msgs.__file__).parents:
        for file in (prefix / "share" / "vision_msgs" / "msg").glob("*.msg"):
            store.register(get_types_from_msg(file.read_text(), f"vision_msgs/msg/{file.stem}"))
    return store


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
