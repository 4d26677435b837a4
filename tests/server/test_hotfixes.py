"""The hotfixes' names, and the settings that stand for them."""

import pytest

from vaultstorm_server import configuration
from vaultstorm_server.hotfixes import HOTFIXES, overrides
from vaultstorm_wire.errors import UsageError


@pytest.mark.parametrize("name", sorted(HOTFIXES))
def test_a_hotfix_is_a_setting_that_is_off_without_it(name: str) -> None:
    """Its path is one of the settings, 0 by default and 1 with the hotfix."""
    section, _, key = HOTFIXES[name].path.partition(".")
    found = [
        getattr(getattr(configuration.load(None, given), section), key)
        for given in ([], overrides([name]))
    ]
    assert found == [0, 1]
    assert HOTFIXES[name].replaces


@pytest.mark.parametrize(
    "names, written",
    [
        ([], []),
        (["KB908739"], ["httpsys.KB908739=1"]),
        (["kb908739", "KB908739"], ["httpsys.KB908739=1"]),
        (["all"], [f"{hotfix.path}=1" for hotfix in HOTFIXES.values()]),
        (["ALL", "KB908739"], [f"{hotfix.path}=1" for hotfix in HOTFIXES.values()]),
    ],
)
def test_names_become_settings_once_each(names: list[str], written: list[str]) -> None:
    """Either case will do, and `all` is every one."""
    assert overrides(names) == written


@pytest.mark.parametrize("name", ["", "KB90873", "KB1", "al", "908739"])
def test_an_unknown_name_is_told_the_known_ones(name: str) -> None:
    """It is wrong usage, with the list."""
    with pytest.raises(UsageError) as told:
        overrides([name])
    for known in (repr(name), "KB908739", "all"):
        assert known in str(told.value)
