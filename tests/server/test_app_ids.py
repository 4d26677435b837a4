"""How an AppID is written."""

import pytest

from vaultstorm_server import app_ids

GUID = "8e5f1c6a-4b0d-4c57-9d3e-5a7b2f60c9d1"


@pytest.mark.parametrize(
    "text", [GUID, GUID.upper(), f"{{{GUID}}}", f" {GUID} ", f'"{{{GUID}}}"', f"'{GUID}'"]
)
def test_a_guid_is_read_however_it_is_written(text: str) -> None:
    """In lower case and without braces."""
    assert app_ids.read(text) == GUID


@pytest.mark.parametrize(
    "text", ["", "{}", GUID[:-1], GUID + "0", "{" + GUID, GUID + "}", "x" * 99]
)
def test_what_is_no_guid_is_refused(text: str) -> None:
    """In a short sentence."""
    with pytest.raises(ValueError, match="is no guid such as") as told:
        app_ids.read(text)
    assert len(str(told.value)) < 140


def test_a_section_of_an_appid_is_known_by_its_name() -> None:
    """The others have none."""
    assert app_ids.of(app_ids.section(GUID)) == GUID
    assert [app_ids.of(name) for name in ("AppID", "afd", "AppIDs.x", "")] == [None] * 4


def test_sections_of_appids_are_put_into_one() -> None:
    """By guid; without any there is none."""
    assert app_ids.nested({"afd": {"a": 1}}) == {"afd": {"a": 1}}
    assert app_ids.nested({"AppID.x": {"a": 1}, "afd": {"b": 2}, "AppID.y": {"c": 3}}) == {
        "afd": {"b": 2},
        "AppID": {"x": {"a": 1}, "y": {"c": 3}},
    }
