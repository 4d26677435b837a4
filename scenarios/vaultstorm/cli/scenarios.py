"""`vaultstorm scenarios`: what the library has."""

from typing import TYPE_CHECKING, Any

from vaultstorm.cli.output import JsonTo, write

if TYPE_CHECKING:
    from vaultstorm.scenario import Scenario


def scenarios(json_to: JsonTo = None) -> int:
    """List the scenarios that ship, each with its variants.

    Those of our own server come first; after them those of other people's servers, which have to be
    installed: each says whether its own is.
    """
    from vaultstorm import library
    from vaultstorm.scenario import load

    loaded = sorted(map(load, library.names()), key=lambda scenario: scenario.foreign)
    listed = [
        {
            "name": scenario.name,
            "title": scenario.title,
            "article": scenario.article,
            "needs": _needs(scenario),
            "variants": [{"name": v.name, "title": v.title} for v in scenario.variants],
        }
        for scenario in loaded
    ]
    write(listed, "\n\n".join(map(_readable, listed)), json_to)
    return 0


def _needs(scenario: "Scenario") -> list[dict[str, Any]]:
    """Say which programs a scenario runs, and whether they are here."""
    from vaultstorm.foreign import programs

    targets = [scenario.served_by(variant) for variant in scenario.variants]
    found = {t.command[0]: t.install for t in targets if t is not None and t.command}
    return [
        {"program": program, "install": install, "installed": programs.is_installed(program)}
        for program, install in found.items()
    ]


def _readable(scenario: dict[str, Any]) -> str:
    width = max(len(variant["name"]) for variant in scenario["variants"])
    lines = [f"{scenario['name']}: {scenario['title']} ({scenario['article']})"]
    for needed in scenario["needs"]:
        here = "is installed"
        if not needed["installed"]:
            here = f"is not installed: {needed['install']}"
        lines.append(f"  needs {needed['program']}, which {here}")
    lines += [f"  {v['name']:<{width}}  {v['title']}" for v in scenario["variants"]]
    return "\n".join(lines)
