"""How a setting's range, unit and documentation are written on its field."""

from typing import Annotated, Any, Final

from msgspec import Meta

DWORD_MAX: Final = 0xFFFFFFFF
FOREVER: Final = 10 * 365 * 86400.0

Switch = Annotated[int, Meta(ge=0, le=1, description="0 is off, 1 is on")]


def seconds(low: float, high: float, description: str, unit: str = "s") -> Any:
    """Describe a duration whose bare number is in `unit`; `low` and `high` are seconds."""
    return Meta(ge=low, le=high, description=description, extra={"duration": unit})


def size(low: int, high: int, description: str, unit: str = "B") -> Any:
    """Describe a size whose bare number is in `unit`; `low` and `high` are bytes."""
    return Meta(ge=low, le=high, description=description, extra={"size": unit})
