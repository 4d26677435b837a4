"""How the AppID of an application is written, and the keys that stand under one."""

import re
from collections.abc import Mapping
from typing import Final

SECTION: Final = "AppID"
EVERY: Final = "AppID.{guid}"
"""Stands for the section of any AppID."""

_GUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def read(text: str) -> str:
    """Give a guid in lower case and without braces, however it is written.

    Raises:
        ValueError: it is none; the message says what would be.
    """
    guid = text.strip().strip("\"'").lower()
    if guid.startswith("{") and guid.endswith("}"):
        guid = guid[1:-1]
    if not _GUID.fullmatch(guid):
        shown = text if len(text) <= 60 else f"{text[:60]}…"
        raise ValueError(f"{shown!r} is no guid such as {{8e5f1c6a-4b0d-4c57-9d3e-5a7b2f60c9d1}}")
    return guid


def section(guid: str) -> str:
    """Give the section of an AppID."""
    return f"{SECTION}.{guid}"


def of(section: str) -> str | None:
    """Give what stands for the AppID in the name of a section; None if it is no AppID's."""
    first, dot, rest = section.partition(".")
    return rest if dot and first == SECTION else None


def nested(values: Mapping[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """Put the sections of the AppIDs into one that holds them by guid."""
    found = {name: keys for name, keys in values.items() if of(name) is None}
    applications: dict[str, object] = {
        guid: keys for name, keys in values.items() if (guid := of(name)) is not None
    }
    return {**found, SECTION: applications} if applications else found
