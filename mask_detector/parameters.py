"""Parameters that explain themselves: description, range or choices, and when they take effect."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

Value = bool | int | float | str


@dataclass(frozen=True)
class Described:
    """One parameter of a node.

    Attributes:
        low, high: the range of a number, both ends allowed.
        choices: the only strings allowed; empty for any.
        any_type: a number may stand for a string, as in `source:=0`.
        live: it takes effect at once; the others are read when the node is configured or starts.
    """

    name: str
    default: Value
    description: str
    low: float = 0
    high: float = 0
    choices: tuple[str, ...] = ()
    any_type: bool = False
    live: bool = False

    @property
    def descriptor(self) -> ParameterDescriptor:
        descriptor = ParameterDescriptor(
            name=self.name, description=self.description, dynamic_typing=self.any_type
        )
        if self.choices:
            descriptor.additional_constraints = f"one of: {', '.join(self.choices)}"
        if isinstance(self.default, float):
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=float(self.low), to_value=float(self.high))
            ]
        elif isinstance(self.default, int) and not isinstance(self.default, bool):
            descriptor.integer_range = [IntegerRange(from_value=int(self.low), to_value=int(self.high))]
        return descriptor


class Parameters:
    """Declares parameters on a node and refuses what cannot be, with the reason.

    Args:
        node: the node that they belong to.
        table: the parameters.
        is_configured: tells whether parameters that are not live are in use right now.
        contradiction: tells why values by name cannot go together, empty if they can.
        cure: when parameters that are not live are read, and what to do to change one.

    Raises:
        rclpy.exceptions.ParameterException: a value given at start has a wrong type or range.
    """

    def __init__(
        self,
        node: Node,
        table: Iterable[Described],
        is_configured: Callable[[], bool] = lambda: False,
        contradiction: Callable[[Mapping[str, Value]], str] = lambda values: "",
        cure: str = "when the node is configured: deactivate and clean it up first",
    ) -> None:
        self._node = node
        self._table = {entry.name: entry for entry in table}
        self._is_configured = is_configured
        self._contradiction = contradiction
        self._cure = cure
        node.add_on_set_parameters_callback(self._check)
        for entry in self._table.values():
            node.declare_parameter(entry.name, entry.default, entry.descriptor)
        self._warn_of_misspelt()

    def __getitem__(self, name: str) -> Value:
        return self._node.get_parameter(name).value

    def _warn_of_misspelt(self) -> None:
        """Warn of given parameters that the node has not; ROS itself says nothing.

        Those only that resemble one of the node's: a file may set others for other nodes.
        """
        given = getattr(self._node, "_parameter_overrides", {})  # rclpy shows them nowhere else
        for name in given:
            near = [] if self._node.has_parameter(name) else get_close_matches(name, self._table, 1, 0.75)
            if near:
                self._node.get_logger().warning(
                    f"there is no parameter '{name}', it is ignored: did you mean {near[0]}?"
                )

    def _check(self, changes: list[Parameter]) -> SetParametersResult:
        declared = [name for name in self._table if self._node.has_parameter(name)]
        together = {name: self[name] for name in declared} | {one.name: one.value for one in changes}
        reasons = [*map(self._objection, changes), self._contradiction(together)]
        reason = "; ".join(filter(None, reasons))
        return SetParametersResult(successful=not reason, reason=reason)

    def _objection(self, change: Parameter) -> str:
        """Return why a change is refused, empty if it is not; ranges and types rclpy checks itself."""
        entry = self._table.get(change.name)
        if entry is None:
            return ""
        if entry.choices and change.value not in entry.choices:
            return f"{change.name} is '{change.value}', but must be one of: {', '.join(entry.choices)}"
        if not entry.live and self._is_configured() and change.value != self[change.name]:
            return f"{change.name} is read {self._cure}"
        return ""
