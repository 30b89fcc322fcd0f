"""Which messages of a bag may show somebody's face."""

import re

from rosbags.interfaces import Connection, MessageDefinitionFormat

from mask_detector.bag.files import typestore

_PICTURES = re.compile("image|video", re.IGNORECASE)  # in the names of the types of pictures


def may_hold_pictures(connection: Connection) -> bool:
    """Tell whether messages are pictures or have some among their fields; if nobody knows, they may."""
    definition = _definition(connection)
    types = [connection.msgtype, *_types_in(definition)]
    return not definition or any(_PICTURES.search(one) for one in types)


def _definition(connection: Connection) -> str:
    """Return the definition of a type with those of its fields: that of its bag, or ours, or ''."""
    if connection.msgdef.format != MessageDefinitionFormat.NONE and connection.msgdef.data:
        return connection.msgdef.data
    known = typestore()
    return known.generate_msgdef(connection.msgtype)[0] if connection.msgtype in known.fielddefs else ""


def _types_in(definition: str) -> list[str]:
    """Return the first word of each line, which is a type, in .msg and in IDL; comments are left out."""
    lines = (line.partition("#")[0].partition("//")[0].split() for line in definition.splitlines())
    return [words[words[0] == "MSG:" and len(words) > 1] for words in lines if words]
