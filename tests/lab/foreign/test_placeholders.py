"""Placeholders: which are replaced, which stay, which are refused."""

import pytest

from vaultstorm.foreign import placeholders
from vaultstorm_wire.errors import UsageError

VALUES = {"host": "::1", "port": "8443"}


@pytest.mark.parametrize(
    "text, filled",
    [
        ("", ""),
        ("{host}:{port}", "::1:8443"),
        ("{unknown} {host", "{unknown} {host"),
        ("server { listen {port}; }", "server { listen 8443; }"),
        ("$host ${host} %{port}", "$host ${host} %{port}"),
        ("{{host}} {host}}", "{{host}} {host}}"),
        ("{Host} {} { host } {0}", "{Host} {} { host } {0}"),
    ],
    ids=range(7),
)
def test_what_has_no_value_stays(text: str, filled: str) -> None:
    """Braces are nginx's, the shell's and curl's as well."""
    assert placeholders.fill(text, VALUES) == filled


def test_a_command_has_a_way_to_write_braces() -> None:
    """Doubled they stand for themselves."""
    assert placeholders.fill_words(["{{host}}", "{host}", "{{x"], VALUES) == [
        "{host}",
        "::1",
        "{{x",
    ]


def test_names_are_found() -> None:
    """In their order, also those that do not exist."""
    assert placeholders.named("{b} {{no}} ${no} {a}{b}") == ["b", "a", "b"]


def test_what_is_unknown_is_refused_where_it_matters() -> None:
    """With the nearest name, or all of them."""
    placeholders.check(["{host}", "{{hosst}}"], placeholders.NAMES, "here")
    with pytest.raises(UsageError, match=r"^here: 'x\{hosst\}' names \{hosst\}; did you mean \{ho"):
        placeholders.check(["x{hosst}"], placeholders.NAMES, "here")
    with pytest.raises(UsageError, match=r"names \{q\}; there are \{host\}, \{port\}, "):
        placeholders.check(["{q}"], placeholders.NAMES, "here")
