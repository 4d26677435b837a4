"""`vaultstorm burst`."""

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from vaultstorm.cli import complete
from vaultstorm.cli.aim import TRUST, AllowRemote, Insecure, Url
from vaultstorm.cli.output import JsonTo, claim, write
from vaultstorm.cli.quantities import Duration, Size
from vaultstorm_client.agent.sizes import DEFAULT as DEFAULT_SIZES
from vaultstorm_wire.errors import UsageError

if TYPE_CHECKING:
    from vaultstorm_client.plan import Plan
    from vaultstorm_client.target import Target

LOAD: Final = "How much"
ARRIVAL: Final = "How clients arrive"
REQUEST: Final = "What they ask for"
AGENT: Final = "Agents (--workload agent)"
RPC: Final = "At rpc://"
PATIENCE: Final = "How long they wait, and what they try again"


class Arrivals(StrEnum):
    """How clients arrive with --rate."""

    CONSTANT = "constant"
    POISSON = "poisson"


class Workload(StrEnum):
    """What the clients ask for."""

    STATUS = "status"
    AGENT = "agent"


def burst(
    url: Url,
    clients: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            rich_help_panel=LOAD,
            help="Clients in all, or agents. [default: 100; unbounded with --rate]",
        ),
    ] = None,
    requests: Annotated[
        int | None,
        typer.Option(
            metavar="K",
            rich_help_panel=LOAD,
            help="Requests of each client, or snapshots of each agent, or at rpc:// rounds of one "
            "activation and its calls. [default: 1; with --duration and no --rate, unbounded]",
        ),
    ] = None,
    duration: Annotated[
        float | None, Duration("Begin no request any more after this long.", group=LOAD)
    ] = None,
    think: Annotated[
        float,
        Duration(
            "Pause between an answer and the next request, or between two snapshots or rounds.",
            group=LOAD,
        ),
    ] = 0.0,
    keep_alive: Annotated[
        bool,
        typer.Option(
            rich_help_panel=LOAD,
            help="Make all requests of a client on one connection, while it lasts; at rpc:// keep "
            "its two connections from round to round.",
        ),
    ] = True,
    processes: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            max=64,
            rich_help_panel=LOAD,
            help="Processes that share the clients.",
        ),
    ] = 1,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="SEED",
            min=0,
            max=(1 << 64) - 1,
            rich_help_panel=LOAD,
            help="Seed of every random draw and of the request ids. [default: drawn, and printed]",
        ),
    ] = None,
    spike: Annotated[
        bool,
        typer.Option(
            "--spike",
            rich_help_panel=ARRIVAL,
            help="All clients connect at once, as they do by default.",
        ),
    ] = False,
    ramp: Annotated[
        float,
        Duration("Spread the clients, or let the rate grow, over this long.", group=ARRIVAL),
    ] = 0.0,
    rate: Annotated[
        float | None,
        typer.Option(
            metavar="R",
            rich_help_panel=ARRIVAL,
            help="Clients that arrive in a second (open loop).",
        ),
    ] = None,
    arrivals: Annotated[
        Arrivals,
        typer.Option(
            metavar="HOW",
            rich_help_panel=ARRIVAL,
            help="How they arrive with --rate: constant or poisson.",
        ),
    ] = Arrivals.CONSTANT,
    method: Annotated[
        str,
        typer.Option(
            metavar="METHOD",
            rich_help_panel=REQUEST,
            help="HTTP method.",
            autocompletion=complete.methods,
        ),
    ] = "GET",
    path: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            rich_help_panel=REQUEST,
            help="What is asked for. [default: the URL's path, else the vault's status]",
        ),
    ] = None,
    body_size: Annotated[
        int, Size("Size of the request's body, such as 16KiB.", group=REQUEST)
    ] = 0,
    workload: Annotated[
        Workload,
        typer.Option(
            metavar="WORKLOAD",
            rich_help_panel=REQUEST,
            help="status: all requests alike. agent: each client is a backup agent that puts "
            "snapshots into the vault at the URL's path, and reads back what was acknowledged.",
        ),
    ] = Workload.STATUS,
    lanes: Annotated[
        int,
        typer.Option(
            metavar="N", rich_help_panel=AGENT, help="Connections that an agent uses at once."
        ),
    ] = 4,
    blocks: Annotated[
        int, typer.Option(metavar="N", rich_help_panel=AGENT, help="Blocks of a snapshot.")
    ] = 8,
    block_sizes: Annotated[
        str,
        typer.Option(
            metavar="SIZES",
            rich_help_panel=AGENT,
            help="How long its blocks are, and how often: SIZE[*WEIGHT],...",
        ),
    ] = DEFAULT_SIZES,
    calls: Annotated[
        int,
        typer.Option(metavar="N", rich_help_panel=RPC, help="Calls that follow each activation."),
    ] = 1,
    clsid: Annotated[
        str | None,
        typer.Option(
            metavar="GUID",
            rich_help_panel=RPC,
            help="Class to activate. [default: the demonstration class]",
        ),
    ] = None,
    connect_timeout: Annotated[
        float, Duration("Longest wait for the answer to a SYN.", "10s", PATIENCE)
    ] = 10.0,
    tls_timeout: Annotated[float, Duration("Longest TLS handshake.", "10s", PATIENCE)] = 10.0,
    bind_timeout: Annotated[float, Duration("Longest DCE/RPC bind.", "10s", PATIENCE)] = 10.0,
    response_timeout: Annotated[
        float, Duration("Longest request, to the end of its answer.", "30s", PATIENCE)
    ] = 30.0,
    hold: Annotated[
        float, Duration("How long a tcp:// connection must stand to be ok.", "250ms", PATIENCE)
    ] = 0.25,
    syn_retries: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=100,
            rich_help_panel=PATIENCE,
            help="Send a refused SYN again so often, as Windows does twice; counted.",
        ),
    ] = 0,
    syn_retry_interval: Annotated[
        float, Duration("Pause before a SYN is sent again.", "500ms", PATIENCE)
    ] = 0.5,
    ca: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", rich_help_panel=TRUST, help="Trust the authorities in this file."
        ),
    ] = None,
    insecure: Insecure = False,
    allow_remote: AllowRemote = False,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(metavar="CONDITION", help="Exit 1 if it holds, such as 'lost>0'; repeatable."),
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            file_okay=False,
            help="Write one line for every attempt into it, and for what a vault acknowledged.",
        ),
    ] = None,
    json_to: JsonTo = None,
) -> int:
    """Fire load, and say how every single attempt ended. Never retries on its own."""
    if spike and (rate is not None or ramp):
        raise UsageError("--spike is all clients at once: leave out --rate and --ramp")
    from vaultstorm_client import target
    from vaultstorm_client.plan import Plan, check, check_target

    plan = check(
        Plan(
            workload=workload.value,
            clients=100 if clients is None and rate is None else clients,
            requests=1 if requests is None and (duration is None or rate is not None) else requests,
            calls=calls,
            clsid=clsid,
            rate=rate,
            arrivals=arrivals.value,
            ramp=ramp,
            duration=duration,
            keep_alive=keep_alive,
            think=think,
            method=method.upper(),
            path=path,
            body_size=body_size,
            lanes=lanes,
            blocks=blocks,
            block_sizes=block_sizes,
            connect_timeout=connect_timeout,
            tls_timeout=tls_timeout,
            bind_timeout=bind_timeout,
            response_timeout=response_timeout,
            hold=hold,
            syn_retries=syn_retries,
            syn_retry_interval=syn_retry_interval,
            processes=processes,
            seed=int.from_bytes(os.urandom(8), "big") if seed is None else seed,
        )
    )
    aim = target.parse(url, allow_remote)
    check_target(plan, aim)
    return _fire(plan, aim, _Trust(ca, insecure), json_to, journal, fail_on or [])


class _Trust(NamedTuple):
    ca: Path | None
    insecure: bool


def _fire(
    plan: "Plan",
    target: "Target",
    trust: _Trust,
    json_to: str | None,
    journal: Path | None,
    fail_on: list[str],
) -> int:
    from vaultstorm_client import burst, thresholds
    from vaultstorm_client.progress import progress
    from vaultstorm_client.result import result
    from vaultstorm_client.summary import data_finding, summary
    from vaultstorm_client.tally import Tally
    from vaultstorm_client.tls import client_context

    empty = result(plan, target, Tally())
    limits = [thresholds.parse(text, empty) for text in fail_on]
    claim(json_to)
    tls = client_context(*trust) if target.scheme == "https" else None
    with progress(plan) as show:
        tally, interrupted = burst.run(plan, target, tls, journal, show)
    outcome = result(plan, target, tally, interrupted)
    write(outcome, summary(plan, outcome), json_to)
    reached = [str(limit) for limit in limits if limit.reached(outcome)]
    for limit in reached:
        typer.echo(f"vaultstorm: --fail-on {limit} holds", err=True)
    found = data_finding(outcome["vault"])
    if found and json_to == "-":  # the summary says so itself
        typer.echo(f"vaultstorm: DATA {found}", err=True)
    if interrupted:
        return 130
    return 1 if reached or found else 0
