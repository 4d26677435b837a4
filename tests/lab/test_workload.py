"""The load of a scenario: plan, and command line of the burst."""

from typing import Any

import pytest

from vaultstorm import workload
from vaultstorm_client.plan import Plan
from vaultstorm_wire.errors import UsageError


def plan(**load: Any) -> Plan:
    """Make a plan of a load."""
    return workload.plan(load, "here", 7)


def test_nothing_said_is_the_default_of_the_burst() -> None:
    """A hundred clients, all at once, one request each."""
    assert plan() == Plan(seed=7)


def test_units_and_case() -> None:
    """Durations, sizes and the method are as people write them; the scheme is not the plan's."""
    made = plan(scheme="tcp", ramp="500ms", think=2, body_size="1KiB", method="put", clients=3)
    assert made == Plan(clients=3, ramp=0.5, think=2.0, body_size=1024, method="PUT", seed=7)


def test_a_rate_or_a_duration_bounds_instead_of_a_count() -> None:
    """As on the command line of the burst."""
    assert plan(rate=5, duration="1s").clients is None
    assert plan(rate=5, duration="1s").requests == 1
    assert plan(duration="1s").requests is None
    assert plan(duration="1s", requests=4).requests == 4


@pytest.mark.parametrize(
    "load, said",
    [
        ({"client": 5}, "here: there is no key client; did you mean clients?"),
        ({"seed": 5}, "here: there is no key seed; did you mean scheme?"),
        ({"clients": 0}, "here: clients 0: at least 1"),
        ({"clients": "5"}, "here: clients: expected `int | null`, got `str`"),
        ({"clients": 2, "processes": 3}, "here: processes 3: no more than clients 2"),
        ({"processes": 65}, "here: processes = 65: at most 64, not below 0"),
        ({"syn_retries": -1}, "here: syn_retries = -1: at most 100, not below 0"),
        ({"arrivals": "fair"}, "here: arrivals = 'fair': write constant or poisson"),
        ({"rate": 5}, "here: rate goes on for ever: bound it with clients or duration"),
        ({"body_size": -1}, "here: body_size = -1 is not a size such as 512, 16KiB or 4MB"),
        ({"workload": "agents"}, "here: workload 'agents': write status or agent"),
        ({"lanes": 2}, "here: lanes 2: that is an agent's: say workload agent"),
        ({"workload": "agent", "lanes": 0}, "here: lanes 0: at least 1"),
        (
            {"workload": "agent", "body_size": 1},
            "here: body_size 1: the sizes of blocks are block_sizes",
        ),
        (
            {"workload": "agent", "scheme": "tcp"},
            "here: workload = 'agent': agents speak HTTP; scheme is https or http",
        ),
        (
            {"workload": "agent", "scheme": "rpc"},
            "here: workload = 'agent': agents speak HTTP; scheme is https or http",
        ),
        ({"calls": 2}, "here: calls = 2: only scheme = 'rpc' has calls"),
        ({"scheme": "rpc", "calls": -1}, "here: calls -1: 0 for activations alone, or more"),
        ({"scheme": "rpc", "path": "/x"}, "here: path = '/x': an activation has none"),
        ({"scheme": "rpc", "method": "PUT"}, "here: method = 'PUT': an activation has none"),
        ({"workload": "agent", "blocks": "8"}, "here: blocks: expected `int`, got `str`"),
        ({"keep_alive": "no"}, "here: keep_alive: expected `bool`, got `str`"),
    ],
)
def test_what_cannot_be_carried_out(load: dict[str, Any], said: str) -> None:
    """It is named without the dashes of the command line."""
    with pytest.raises(UsageError) as caught:
        plan(**load)
    assert str(caught.value) == said


@pytest.mark.parametrize("key", workload.DURATIONS)
def test_every_duration_is_read_as_one(key: str) -> None:
    """A wrong one is named with its key."""
    with pytest.raises(UsageError, match=rf"^here: {key} = 'soon' is not a duration"):
        plan(**{key: "soon"})


def test_schemes() -> None:
    """HTTPS unless it is said otherwise."""
    assert workload.scheme({}, "here") == "https"
    assert workload.scheme({"scheme": "tcp"}, "here") == "tcp"
    with pytest.raises(UsageError, match=r"^here: scheme = 'ftp': write https, http, tcp, rpc$"):
        workload.scheme({"scheme": "ftp"}, "here")


def test_options_say_the_whole_plan() -> None:
    """Every field that is set becomes an option."""
    made = plan(clients=3, ramp="1us", keep_alive=False, path="/x", syn_retries=2)
    options = workload.options(made)
    assert {"--clients=3", "--ramp=0.000001000s", "--no-keep-alive", "--path=/x"} <= set(options)
    assert {"--syn-retries=2", "--seed=7", "--processes=1"} <= set(options)
    assert not [option for option in options if "None" in option]


@pytest.mark.parametrize(
    "scheme, load, attempts",
    [
        ("https", {}, 100),
        ("https", {"clients": 3, "requests": 4}, 12),
        ("rpc", {}, 200),
        ("rpc", {"clients": 3, "requests": 4, "calls": 2}, 36),
        ("rpc", {"clients": 3, "calls": 0}, 3),
        ("https", {"duration": "1s"}, 0),
        ("https", {"rate": 5, "duration": "1s"}, 0),
        ("https", {"workload": "agent"}, 0),
    ],
)
def test_how_many_attempts_a_load_makes(scheme: str, load: dict[str, Any], attempts: int) -> None:
    """By rpc:// each activation is followed by its calls; what only time ends is not known."""
    assert workload.attempts(plan(scheme=scheme, **load), scheme) == attempts


def test_activations_and_calls() -> None:
    """The keys of a DCOM burst are those of the command line, too."""
    made = plan(scheme="rpc", calls=3, bind_timeout="1s", keep_alive=False)
    assert made == Plan(calls=3, bind_timeout=1.0, keep_alive=False, seed=7)
    assert {"--calls=3", "--bind-timeout=1.000000000s"} <= set(workload.options(made))


def test_agents() -> None:
    """Their keys are those of the burst, and become its options."""
    made = plan(workload="agent", clients=3, lanes=2, blocks=5, block_sizes="4KiB*3,1MiB")
    assert made == Plan(
        workload="agent", clients=3, lanes=2, blocks=5, block_sizes="4KiB*3,1MiB", seed=7
    )
    assert {"--workload=agent", "--lanes=2", "--blocks=5", "--block-sizes=4KiB*3,1MiB"} <= set(
        workload.options(made)
    )


def test_wrong_sizes_of_blocks_are_named() -> None:
    """By the key, with what would be right."""
    with pytest.raises(UsageError, match=r"^here: block_sizes: .*4KiB\*12"):
        plan(workload="agent", block_sizes="4KiB*0")
