"""Start a camera, the detector and, if wished, rviz2 and a page for the browser, with one command.

    ros2 launch mask_detector detect.launch.py
    ros2 launch mask_detector detect.launch.py source:=people.mp4 rviz:=true
    ros2 launch mask_detector detect.launch.py camera:=none image:=/front/image_raw

The launch ends when the camera or the detector ends, unless `respawn:=true`. An argument that is left
empty leaves the matter to the parameter file, whose defaults are those of the node.

Nothing here may import OpenCV: pip's would lead rviz2 to its own Qt plugins, through the environment.
"""
# ruff: noqa: I001  (the name of this folder lets ruff take ROS's `launch` for a package of this repository)

import os
import shlex
from collections.abc import Iterable

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import Action, LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, Shutdown
from launch.events.process import ProcessExited
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from mask_detector.model_store import share_folder
from mask_detector.transport import transport_environment

_CONFIG = share_folder() / "config"
_SWITCH = ["true", "false"]
_OF_DETECTOR = {  # parameters of the detector and their choices
    "face_detector": ["", "auto", "masked_yunet", "yunet", "haar"],
    "classifier": None,
    "runtime": ["", "auto", "litert", "litert_int8", "opencv", "keras"],
    "image_transport": ["", "raw", "compressed"],
}
_INSTEAD_OF_USB_CAM = "or play a video, picture, webcam or stream with source:=…, or give camera:=none"

Given = dict[str, str]


def generate_launch_description() -> LaunchDescription:
    """Return what `ros2 launch` runs."""
    return LaunchDescription([*arguments(), OpaqueFunction(function=_nodes)])


def arguments() -> list[DeclareLaunchArgument]:
    """Return what a launch may be given."""
    of_detector = "parameter of the detector; empty for that of params_file"
    return [
        _argument("camera", "usb_cam, this package's own camera for a source, or none; auto is source where "
                  "a source is given, else usb_cam", "auto", ["auto", "usb_cam", "source", "none"]),
        _argument("source", "with camera:=source: video, picture, folder, webcam (0, /dev/video0) or URL"),
        _argument("loop", "with camera:=source: whether a file begins again at its end", "", ["", *_SWITCH]),
        _argument("video_device", "with camera:=usb_cam: the device, such as /dev/video0"),
        _argument("camera_params_file", "parameters of the camera; empty for config/usb_cam.yaml or "
                  "config/camera.yaml, as the camera is"),
        _argument("image", "image topic from camera to detector, in the namespace unless it begins with /; "
                  "JPEG images are on IMAGE/compressed", "camera/image_raw"),
        _argument("params_file", "parameters of the detector", str(_CONFIG / "detector.yaml")),
        *(_argument(name, of_detector, "", choices) for name, choices in _OF_DETECTOR.items()),
        _argument("namespace", "namespace of all nodes, for more than one camera or robot"),
        _argument("rviz", "whether to show the annotated image in rviz2", "false", _SWITCH),
        _argument("viewer", "whether to serve a page for the browser, whose address it prints", "false",
                  _SWITCH),
        _argument("viewer_options", "with viewer:=true: options such as '--port 8080 --crops', see "
                  "ros2 run mask_detector viewer --help"),
        _argument("blur_faces", "whether faces are blurred in all pictures that go out, the viewer's too; "
                  "empty for what params_file says of the detector", "", ["", *_SWITCH]),
        _argument("log_level", "how much the nodes log", "info", ["debug", "info", "warn", "error", "fatal"]),
        _argument("use_sim_time", "whether time comes from /clock (simulation, bags)", "false", _SWITCH),
        _argument("respawn", "whether an ended node is started again, else all end", "false", _SWITCH),
    ]  # fmt: skip


def _argument(name: str, description: str, default: str = "", choices: list[str] | None = None):
    return DeclareLaunchArgument(name, description=description, default_value=default, choices=choices)


def _nodes(context: LaunchContext) -> list[Node]:
    given = {argument.name: context.launch_configurations[argument.name] for argument in arguments()}
    kind = _kind_of_camera(given)
    nodes = [_detector(given)]
    if kind == "usb_cam":
        nodes.append(_usb_cam(given))
    elif kind == "source":
        nodes.append(_camera(given))
    return [*nodes, *viewers(given)]


def viewers(given: Given, rviz_config: str = str(_CONFIG / "detect.rviz")) -> list[Node]:
    """Return what shows the pictures to people, as far as that is wished."""
    nodes = []
    if given["rviz"] == "true":
        nodes.append(_rviz(given, rviz_config))
    if given["viewer"] == "true":
        nodes.append(_viewer(given))
    return nodes


def _kind_of_camera(given: Given) -> str:
    kind = given["camera"]
    if kind == "auto":
        kind = "source" if given["source"] else "usb_cam"
    for argument, owner in (("source", "source"), ("loop", "source"), ("video_device", "usb_cam")):
        if given[argument] and kind != owner:
            raise RuntimeError(
                f"{argument}:={given[argument]} goes with camera:={owner}, but the camera is {kind}"
            )
    return kind


def _detector(given: Given) -> Node:
    overrides = _overrides(given, _OF_DETECTOR)
    if given["blur_faces"]:
        overrides["blur_faces"] = given["blur_faces"] == "true"
    return _node(
        given,
        package="mask_detector",
        executable="detector",
        name="mask_detector",
        parameters=[_file(given["params_file"]), overrides],
        remappings=[("image", given["image"])],
    )


def _camera(given: Given) -> Node:
    source = {"source": os.path.expanduser(given["source"])}
    overrides = _overrides(source, ["source"])
    if given["loop"]:
        overrides["loop"] = given["loop"] == "true"
    return _node(
        given,
        package="mask_detector",
        executable="camera",
        name="camera",
        parameters=[_file(given["camera_params_file"] or _CONFIG / "camera.yaml"), overrides],
        remappings=[("image_raw", given["image"])],
    )


def _usb_cam(given: Given) -> Node:
    """Start the executable itself: usb_cam's launch file needs pydantic 1 and renames topics."""
    _require("usb_cam", _INSTEAD_OF_USB_CAM)
    image = given["image"]
    return _node(
        given,
        package="usb_cam",
        executable="usb_cam_node_exe",
        name="usb_cam",
        parameters=[
            _file(given["camera_params_file"] or _CONFIG / "usb_cam.yaml"),
            _overrides(given, ["video_device"]),
        ],
        remappings=[
            ("image_raw", image),
            ("image_raw/compressed", f"{image}/compressed"),
            ("camera_info", f"{image.rpartition('/')[0]}/camera_info" if "/" in image else "camera_info"),
        ],
    )


def _rviz(given: Given, config: str) -> Node:
    """Start rviz2 in the namespace: the topics in its configuration are relative ones."""
    _require("rviz2", "or leave out rviz:=true")
    return Node(
        package="rviz2",
        executable="rviz2",
        namespace=given["namespace"],
        arguments=["-d", config],
        parameters=[_clock(given)] if _clock(given) else [],
        additional_env=transport_environment(),
        output="screen",
    )


def _viewer(given: Given) -> Node:
    """Start the viewer; robots go on without it."""
    blur = ["--blur-faces"] if given["blur_faces"] == "true" else []
    return Node(
        package="mask_detector",
        executable="viewer",
        namespace=given["namespace"],
        arguments=[*shlex.split(given["viewer_options"]), *blur],
        additional_env=transport_environment(),
        output="screen",
        respawn=given["respawn"] == "true",
        respawn_delay=2.0,
    )


def _node(given: Given, parameters: list, **options) -> Node:
    """Return a node with what all of them share; it ends the launch with it, or is started again."""
    if given["respawn"] == "true":
        options |= {"respawn": True, "respawn_delay": 2.0}
    else:
        options["on_exit"] = _end
    return Node(
        namespace=given["namespace"],
        parameters=[entry for entry in [*parameters, _clock(given)] if entry],
        ros_arguments=["--log-level", given["log_level"]],
        additional_env=transport_environment(),
        output="screen",
        **options,
    )


def _end(event: ProcessExited, context: LaunchContext) -> list[Action]:
    """End the launch; with exit code 1, which only an exception gives, if the node has failed."""
    if event.returncode and not context.is_shutdown:
        raise RuntimeError(f"{event.process_name} has failed; the reason is above")
    return [Shutdown(reason=f"{event.process_name} has ended")]


def _overrides(given: Given, names: Iterable[str]) -> dict:
    """Return the parameters that were given; as strings, whatever they look like."""
    return {name: ParameterValue(given[name], value_type=str) for name in names if given[name]}


def _clock(given: Given) -> dict:
    return {"use_sim_time": True} if given["use_sim_time"] == "true" else {}


def _file(path: str | os.PathLike) -> str:
    """Return the path of a parameter file; ROS itself would start without one that is missing."""
    path = os.path.expanduser(path)
    if not os.path.isfile(path):
        raise RuntimeError(f"there is no parameter file {path}")
    return path


def _require(package: str, otherwise: str) -> None:
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        name = f"ros-{os.environ.get('ROS_DISTRO', 'jazzy')}-{package.replace('_', '-')}"
        raise RuntimeError(f"{package} is not installed: sudo apt install {name}, {otherwise}") from None
