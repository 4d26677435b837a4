"""The hotfixes' names, and the settings that stand for them."""

import pytest

from vaultstorm_server import configuration
from vaultstorm_server.hotfixes import ALL, HOTFIXES, Do, find, overrides
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


@pytest.mark.parametrize("name", sorted(HOTFIXES))
def test_a_hotfix_is_found_by_its_name_in_either_case(name: str) -> None:
    """And given as it is written."""
    assert [find(written) for written in (name, name.lower())] == [name, name]


@pytest.mark.parametrize("name", ["", ALL, "TECH3957", "TECH395790"])
def test_what_is_no_single_hotfix_is_told_the_known_ones(name: str) -> None:
    """`all` is for the start of a server only."""
    with pytest.raises(UsageError, match="there are KB908739, KB960007 and TECH39579"):
        find(name)


REPLACED = {
    "KB908739": Do.REPLACE_HTTP_SYS,
    "KB960007": Do.REPLACE_OLE32,
    "TECH39579": Do.REPLACE_VAULT,
}


@pytest.mark.parametrize("name", sorted(HOTFIXES))
def test_what_is_stopped_is_replaced_and_then_started(name: str) -> None:
    """What is replaced is stopped before it or by the restart after it; all is started once."""
    does = [step.do for step in HOTFIXES[name].steps]
    effects = [do for do in does if do is not Do.NOTHING]
    assert len(set(effects)) == len(effects)
    replaced = does.index(REPLACED[name])
    stops, starts = does[:replaced], does[replaced + 1 :]
    assert Do.STOP_IIS in stops or Do.RESTART_COMPUTER in starts
    assert (Do.START_SERVICE in starts) is (Do.STOP_SERVICE in stops)
    assert {Do.START_IIS, Do.RESTART_COMPUTER} & set(starts)
    assert not {do for do in stops if do.startswith(("start", "restart"))}
