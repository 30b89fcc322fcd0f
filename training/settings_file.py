"""One YAML file becomes frozen dataclasses: every key known, none missing, each of the right kind."""

import dataclasses
import re
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml

from training.errors import TrainingError

Settings = TypeVar("Settings")


def read_settings(kind: type[Settings], path: Path) -> Settings:
    """Read the YAML at `path` as the frozen dataclass `kind`; raise TrainingError where they differ."""
    return build(kind, read_yaml(path), "")


def read_yaml(path: Path, above: tuple[Path, ...] = ()) -> Any:
    """Return what the file says, on top of the file beside it that its key `base` names, if it has one.

    `above` are the files that led here.
    """
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise TrainingError(f"cannot read the settings {path}: {error}") from error
    if not isinstance(content, dict) or "base" not in content:
        return content
    base = path.parent / str(content.pop("base"))
    if base.resolve() in above or base.resolve() == path.resolve():
        raise TrainingError(f"setting 'base' of {path} leads to {base} again: leave it out")
    return _over(read_yaml(base, (*above, path.resolve())), content)


def build(kind: type[Settings], content: Any, where: str) -> Settings:
    """Return the dataclass `kind` of what stands at the key `where`; raise TrainingError if it differs."""
    if not isinstance(content, dict):
        raise TrainingError(f"setting '{where.rstrip('.') or 'file'}' must hold keys, not {content!r}")
    fields = {field.name: field.type for field in dataclasses.fields(kind)}
    if unknown := sorted(set(content) - set(fields)):
        raise TrainingError(f"unknown setting '{where}{unknown[0]}': known are {', '.join(fields)}")
    if missing := sorted(set(fields) - set(content)):
        raise TrainingError(f"setting '{where}{missing[0]}' is missing")
    return kind(**{name: _value(fields[name], content[name], where + name) for name in fields})


def require(holds: bool, where: str, value: Any, allowed: str) -> None:
    """Raise TrainingError, which names the setting, its value and what is allowed, unless it holds."""
    if not holds:
        raise TrainingError(f"setting '{where}' is {value!r}: allowed is {allowed}")


def _over(base: Any, changed: Any) -> Any:
    """Return `base` with what `changed` says; what is no mapping is replaced whole, null takes a key out."""
    if not (isinstance(base, dict) and isinstance(changed, dict)):
        return changed
    merged = base | {key: _over(base.get(key), value) for key, value in changed.items()}
    return {key: value for key, value in merged.items() if value is not None}


def _value(kind: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return build(kind, value, where + ".")
    if get_origin(kind) is list:
        return [_value(get_args(kind)[0], entry, where) for entry in _value(list, value, where)]
    kind = get_origin(kind) or kind
    if kind is float and type(value) is int:
        return float(value)
    if kind is float and isinstance(value, str) and re.fullmatch(r"[-+]?\d+e[-+]?\d+", value):
        raise TrainingError(f"setting '{where}': YAML takes {value} for text, write {float(value):g}")
    if type(value) is not kind:
        raise TrainingError(f"setting '{where}' must be {kind.__name__}, not {value!r}")
    return value
