"""Start detect.launch.py once for each camera of a list, each in its namespace.

    ros2 launch mask_detector multi_camera.launch.py cameras:=my_cameras.yaml
    ros2 launch mask_detector multi_camera.launch.py cameras:=my_cameras.yaml respawn:=true namespace:=robot1

Arguments of detect.launch.py on the command line hold for all cameras, but an entry of the list goes
before them; a namespace goes before those of the cameras. `viewer:=true` and `rviz:=true` on the command line
start one page, and one rviz2, for all cameras.
"""
# ruff: noqa: I001  (the name of this folder lets ruff take ROS's `launch` for a package of this repository)

import os
import re
from collections.abc import Iterable
from difflib import get_close_matches

import yaml
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, GroupAction, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import (
    PythonLaunchDescriptionSource,
    load_python_launch_file_as_module,
)
from launch.logging import launch_config

from mask_detector.model_store import share_folder

_SHARE = share_folder()
_FILE = str(_SHARE / "launch" / "detect.launch.py")
_DETECT = load_python_launch_file_as_module(_FILE)
_ONCE = {"viewer": "false", "rviz": "false"}  # not for each camera
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
    return LaunchDescription([cameras, *_DETECT.arguments(), OpaqueFunction(function=_nodes)])


def _nodes(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    of_all = {one.name: context.launch_configurations[one.name] for one in _DETECT.arguments()}
    cameras = _read(os.path.expanduser(context.launch_configurations["cameras"]), list(of_all))
    groups = [_camera(of_all, name, entry) for name, entry in cameras.items()]
    pictures = _rviz_config(cameras) if of_all["rviz"] == "true" else ""
    return [*groups, *_DETECT.viewers(of_all, pictures)]


def _camera(of_all: Given, name: str, entry: Given) -> GroupAction:
    namespace = "/".join(filter(None, [of_all["namespace"].rstrip("/"), name]))
    arguments = of_all | _ONCE | entry | {"namespace": namespace}
    source = PythonLaunchDescriptionSource(_FILE)
    include = IncludeLaunchDescription(source, launch_arguments=arguments.items())
    return GroupAction([include], forwarding=False)  # what one camera is given is nothing to the next


def _rviz_config(cameras: Iterable[str]) -> str:
    """Write detect.rviz anew, beside the logs, with the picture of each camera; return its path."""
    content = yaml.safe_load((_SHARE / "config" / "detect.rviz").read_text())
    (one,) = content["Visualization Manager"]["Displays"]
    content["Visualization Manager"]["Displays"] = [
        one | {"Name": name, "Topic": one["Topic"] | {"Value": f"{name}/{one['Topic']['Value']}"}}
        for name in cameras
    ]
    del content["Window Geometry"]["QMainWindow State"]  # where the one picture stood
    path = os.path.join(launch_config.log_dir, "cameras.rviz")
    with open(path, "w") as file:
        yaml.safe_dump(content, file)
    return path


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
