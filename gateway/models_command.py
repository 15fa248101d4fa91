"""`dragoman models`: what clients may ask for, and where a name leads."""

import json
from pathlib import Path
from typing import Any

import click

from gateway.app import build_gateway
from gateway.command_options import config_option
from gateway.errors import ModelNotFound
from gateway.models import ModelEntry, ModelMap, Step
from gateway.pipeline import Gateway

COLUMNS = ("name", "aliases", "leads to", "defaults", "from", "description")


EXAMPLES = """\b
Examples:
  dragoman models
  dragoman models --json
  dragoman models resolve gpt-4o
"""
RESOLVE_EXAMPLES = """\b
Examples:
  dragoman models resolve gpt-4o
  dragoman models resolve --config work.yaml fast
"""


@click.group("models", invoke_without_command=True, epilog=EXAMPLES)
@config_option
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@click.pass_context
def models(context: click.Context, config_file: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """List what clients may ask for."""
    context.obj = config_file
    if context.invoked_subcommand is not None:
        return
    listed = [*rows(build_gateway(config_file).models)]
    if as_json:
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    else:
        click.echo(table(listed))


@models.command(epilog=RESOLVE_EXAMPLES)
@config_option
@click.argument("name")
@click.pass_context
def resolve(context: click.Context, config_file: Path | None, name: str) -> None:
    """Say where NAME leads, step by step (exit code 1 if nowhere)."""
    gateway = build_gateway(config_file or context.obj)
    try:
        click.echo("\n".join([name, *way(gateway, name)]))
    except ModelNotFound as error:
        click.echo(error.message, err=True)
        context.exit(1)


def rows(model_map: ModelMap) -> list[dict[str, Any]]:
    """One for each entry, then one for each alias whose model depends on what it matches."""
    aliases: dict[str, list[str]] = {}
    free: list[str] = []
    for alias, name in model_map.aliases.items():
        if alias in model_map.entries:
            continue
        if "*" in name:
            free.append(alias)
        else:
            aliases.setdefault(_key_of(model_map, name), []).append(alias)
    entries = [
        {
            "name": name,
            "aliases": aliases.get(name, []),
            "backend": entry.backend or None,
            "target": entry.target,
            "split": entry.split,
            "description": entry.description,
            "defaults": entry.defaults.model_dump(exclude_none=True),
            "limits": entry.limits.model_dump(exclude_none=True),
            "hidden": entry.hidden,
            "from": model_map.sources.get(name, "code"),
        }
        for name, entry in model_map.entries.items()
    ]
    return entries + [
        {"name": alias, "alias_of": model_map.aliases[alias], "from": model_map.sources.get(alias)}
        for alias in free
    ]


def _key_of(model_map: ModelMap, name: str) -> str:
    return model_map.find(name).steps[0 if name in model_map.entries else -1].key


def table(listed: list[dict[str, Any]]) -> str:
    """The rows as text, in columns."""
    cells = [COLUMNS, *(_cells(row) for row in listed)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    if "alias_of" in row:
        return (row["name"], "", row["alias_of"], "", row["from"] or "", "")
    said = {**row["defaults"], **{f"{key}<": value for key, value in row["limits"].items()}}
    return (
        row["name"] + (" (hidden)" if row["hidden"] else ""),
        ", ".join(row["aliases"]),
        _leads_to(row),
        " ".join(f"{key}={value}" for key, value in said.items()).replace("<=", "≤"),
        row["from"],
        row["description"] or "",
    )


def _leads_to(row: dict[str, Any]) -> str:
    if row["split"]:
        return ", ".join(f"{name} {weight}" for name, weight in row["split"].items())
    return f"{row['backend']}: {row['target'] or 'the same name'}"


def way(gateway: Gateway, name: str) -> list[str]:
    """The steps from a name to its model; of a split, to each of its models."""
    lines = []
    if (alias := gateway.alias_by_code(name)) is not None:
        lines.append(f"  a plugin's alias → {alias}")
        name = alias
    found = gateway.models.find(name)
    for step in found.steps:
        entry = gateway.models.entries.get(step.key)
        lines.append(_line(gateway.models, step, entry))
        if step.kind == "split" and entry is not None:
            for model, weight in entry.split.items():
                lines.append(f"  {weight} of {sum(entry.split.values())} conversations → {model}")
                lines += [f"  {line}" for line in way(gateway, model)]
            break
    return lines


def _line(model_map: ModelMap, step: Step, entry: ModelEntry | None) -> str:
    source = model_map.sources.get(step.key, "code")
    if step.kind == "alias" or entry is None:
        return f"  alias {step.key} ({source}) → {step.leads_to}"
    if step.kind == "split":
        return f"  split {step.key} ({source})"
    return f"  model {step.key} ({source}) → {entry.backend}: {step.leads_to}"
