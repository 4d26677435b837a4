"""`vaultstorm scenarios`: what the library has."""

from typing import Any

from vaultstorm.cli.output import JsonTo, write


def scenarios(json_to: JsonTo = None) -> int:
    """List the scenarios that ship, each with its variants."""
    from vaultstorm import library
    from vaultstorm.scenario import load

    listed = [
        {
            "name": scenario.name,
            "title": scenario.title,
            "article": scenario.article,
            "variants": [{"name": v.name, "title": v.title} for v in scenario.variants],
        }
        for scenario in map(load, library.names())
    ]
    write(listed, "\n\n".join(map(_readable, listed)), json_to)
    return 0


def _readable(scenario: dict[str, Any]) -> str:
    width = max(len(variant["name"]) for variant in scenario["variants"])
    lines = [f"{scenario['name']}: {scenario['title']} ({scenario['article']})"]
    lines += [f"  {v['name']:<{width}}  {v['title']}" for v in scenario["variants"]]
    return "\n".join(lines)
