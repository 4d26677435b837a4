"""What a probe says: layer by layer, up to the first that failed."""

from dataclasses import dataclass
from typing import Final

from vaultstorm_wire.outcome import OK

RESOLVE, TCP, TLS, HTTP = "resolve", "tcp", "tls", "http"
BIND, ALIVE, LOOKUP = "bind", "alive", "lookup"
LAYERS: Final = {
    "tcp": (TCP,),
    "http": (TCP, HTTP),
    "https": (TCP, TLS, HTTP),
    "rpc": (TCP, BIND, ALIVE, LOOKUP),
}
"""The layers above `resolve` that a target of each scheme has."""


@dataclass(frozen=True)
class Layer:
    """What one layer did.

    Attributes:
        outcome: ``ok``, or how it failed in the words of `vaultstorm_wire.outcome`.
        seconds: how long it took.
        seen: what it showed, by name.
        means: what a failure says about the server; empty for ``ok``.
    """

    layer: str
    outcome: str
    seconds: float
    seen: dict[str, str]
    means: str = ""

    @property
    def ok(self) -> bool:
        """Whether the layer did its work."""
        return self.outcome == OK


@dataclass(frozen=True)
class Report:
    """All layers up to the first that failed."""

    target: str
    layers: tuple[Layer, ...]

    @property
    def ok(self) -> bool:
        """Whether every layer did its work."""
        return all(layer.ok for layer in self.layers)
