"""Start detect.launch.py once for each camera of a list, each in its namespace.

    ros2 launch mask_detector multi_camera.launch.py cameras:=my_cameras.yaml
    ros2 launch mask_detector multi_camera.launch.py cameras:=my_cameras.yaml respawn:=true namespace:=robot1

Arguments of detect.launch.py on the command line hold for all cameras, but an entry of the list goes
before them; a namespace goes before those of the cameras.
"""
# ruff: noqa: I001  (the name of this folder lets ruff take ROS's `launch` for a package of this repository)

import os
import re
from difflib import get_close_matches

import yaml
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, GroupAction, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource

from mask_detector.model_store import share_folder

_SHARE = share_folder()
_NAMESPACE = r"[A-Za-z]\w*(/[A-Za-z]\w*)*"

Given = dict[str, str]


def generate_launch_description() -> LaunchDescription:
    """Return what `ros2 launch` runs."""
    cameras = DeclareLaunchArgument(
        "cameras",
        default_value=str(_SHARE / "config" / "cameras.yaml"),
        description="YAML list of the cameras: each a namespace with arguments of detect.launch.py; any of "
        "those may also be given here, for all cameras",
    )
    return LaunchDescription([cameras, OpaqueFunction(function=_cameras)])


def _cameras(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    source = PythonLaunchDescriptionSource(str(_SHARE / "launch" / "detect.launch.py"))
    known = [one.name for one in source.get_launch_description(context).get_launch_arguments()]
    of_all = {name: value for name, value in context.launch_configurations.items() if name in known}
    path = os.path.expanduser(context.launch_configurations["cameras"])
    return [_camera(source, of_all, name, entry) for name, entry in _read(path, known).items()]


def _camera(source: PythonLaunchDescriptionSource, of_all: Given, name: str, entry: Given) -> GroupAction:
    namespace = "/".join(filter(None, [of_all.get("namespace", "").rstrip("/"), name]))
    arguments = of_all | entry | {"namespace": namespace}
    include = IncludeLaunchDescription(source, launch_arguments=arguments.items())
    return GroupAction([include], forwarding=False)  # what one camera is given is nothing to the next


def _read(path: str, known: list[str]) -> dict[str, Given]:
    """Return the cameras with their arguments; raise RuntimeError if a list is not as it should be."""
    try:
        with open(path) as file:
            content = yaml.safe_load(file)
    except OSError as error:
        raise RuntimeError(f"the list of cameras {path} cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise RuntimeError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict) or not content:
        raise RuntimeError(f"{path} must have an entry for each camera, as in config/cameras.yaml")
    return {str(name): _entry(f"{path}: {name}", str(name), entry, known) for name, entry in content.items()}


def _entry(where: str, name: str, entry: object, known: list[str]) -> Given:
    if not re.fullmatch(_NAMESPACE, name):
        raise RuntimeError(f"{where} is no namespace: use letters, digits and _, a letter first")
    if not isinstance(entry, dict | None):
        raise RuntimeError(f"{where} is '{entry}': it must have arguments of detect.launch.py below it")
    for argument, value in (entry or {}).items():
        if argument not in known or argument == "namespace":
            near = get_close_matches(str(argument), known, 1)
            hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}"
            raise RuntimeError(f"{where}: there is no argument '{argument}': {hint}")
        if isinstance(value, dict | list):
            raise RuntimeError(f"{where}: {argument} must be one value, not {value}")
    return {argument: _text(value) for argument, value in (entry or {}).items()}


def _text(value: object) -> str:
    """Return a value of YAML as it is written on a command line."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
