"""Guids and syntaxes."""

import pytest

from vaultstorm_wire.dcerpc.syntax import (
    NDR,
    NDR64,
    Syntax,
    guid_of,
    guid_text,
    is_feature_negotiation,
)

TEXT = "8a885d04-1ceb-11c9-9fe8-08002b104860"
WIRE = bytes.fromhex("045d888aeb1cc9119fe808002b104860")


@pytest.mark.parametrize("text", [TEXT, TEXT.upper(), "{" + TEXT + "}", "{" + TEXT.upper() + "}"])
def test_a_guid_is_read_as_its_wire_form(text: str) -> None:
    """The first three parts are little-endian numbers, braces and case do not matter."""
    assert guid_of(text) == WIRE


def test_a_guid_is_written_in_one_form() -> None:
    """What is written is lower case, without braces, and reads back."""
    assert guid_text(WIRE) == TEXT
    assert guid_of(guid_text(WIRE)) == WIRE


@pytest.mark.parametrize(
    "text",
    ["", "{}", TEXT[:-1], TEXT + "0", "{" + TEXT, TEXT + "}", TEXT.replace("-", ""), "g" * 36],
)
def test_not_a_guid(text: str) -> None:
    """What is no guid is refused with an example of one."""
    with pytest.raises(ValueError, match="is not a guid such as"):
        guid_of(text)


@pytest.mark.parametrize("length", [0, 15, 17])
def test_a_guid_is_16_bytes(length: int) -> None:
    """Nothing else is written as a guid."""
    with pytest.raises(ValueError, match="16"):
        guid_text(bytes(length))


def test_a_syntax_reads_well() -> None:
    """A syntax is shown as its guid and version."""
    assert str(NDR) == f"{TEXT} v2.0"


def test_feature_negotiation_is_told_by_half_a_guid() -> None:
    """The other half of that guid holds the features, and other versions are something else."""
    features = guid_of("6cb71c2c-9812-4540-0300-000000000000")
    assert is_feature_negotiation(Syntax(features, 1, 0))
    assert not is_feature_negotiation(Syntax(features, 2, 0))
    assert not is_feature_negotiation(NDR)
    assert not is_feature_negotiation(NDR64)
