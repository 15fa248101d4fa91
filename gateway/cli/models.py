"""`dragoman models`: the names for clients, and the model that a name leads to."""

import json
from pathlib import Path
from typing import Any

import click

from gateway.cli.models_table import described, sheet, table
from gateway.cli.options import config_option, note_other_configuration
from gateway.errors import ModelNotFound
from gateway.models.model_map import ModelEntry, ModelMap, Step
from gateway.pipeline.gateway import CoreGateway
from gateway.startup.build import build_gateway

EXAMPLES = """\b
Examples:
  dragoman models
  dragoman models --verbose
  dragoman models --json
  dragoman models show opus
  dragoman models resolve gpt-4o
"""
SHOW_EXAMPLES = """\b
Examples:
  dragoman models show opus
  dragoman models show --json sonnet
"""
RESOLVE_EXAMPLES = """\b
Examples:
  dragoman models resolve gpt-4o
  dragoman models resolve --config work.yaml fast
"""


@click.group("models", invoke_without_command=True, epilog=EXAMPLES)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Output JSON.")
@click.option("-v", "--verbose", is_flag=True, help="Add the file and line of each entry.")
@click.pass_context
def models(
    context: click.Context,
    config_file: Path | None,
    *,
    as_json: bool,
    verbose: bool,
) -> None:
    """List the models that clients can request."""
    context.obj = config_file
    if context.invoked_subcommand is not None:
        return
    gateway = build_gateway(config_file)
    listed = rows(gateway)
    if as_json:
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    elif gateway.models.entries:
        click.echo(table(listed, sources=verbose))
    else:
        click.echo(
            f"No models: {gateway.config.path} has an empty `models:`. List some there, or remove "
            "that line to use the defaults.",
            err=True,
        )
    note_other_configuration(config_file, gateway.config.path)


@models.command(epilog=SHOW_EXAMPLES)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Output JSON.")
@click.argument("name")
@click.pass_context
def show(context: click.Context, config_file: Path | None, as_json: bool, name: str) -> None:  # noqa: FBT001
    """Show the known facts about a model.

    Each with its origin: set in the configuration file, learnt from a rejection, confirmed by a
    test, reported by the backend, documented, or assumed for a new model. Exit code 1 if nothing
    is known.
    """
    gateway = build_gateway(config_file or context.obj)
    try:
        known = {model: gateway.describe(model) for model in gateway.find(name).reach}
    except ModelNotFound as error:
        click.echo(error.message, err=True)
        context.exit(1)
    if as_json:
        said = {model: each and described(each) for model, each in known.items()}
        click.echo(json.dumps(said, indent=2, ensure_ascii=False))
    else:
        click.echo("\n\n".join(sheet(model, each) for model, each in known.items()))
    if not any(known.values()):
        context.exit(1)


@models.command(epilog=RESOLVE_EXAMPLES)
@config_option
@click.argument("name")
@click.pass_context
def resolve(context: click.Context, config_file: Path | None, name: str) -> None:
    """Show what NAME resolves to.

    Exit code 1 for an unknown model.
    """
    gateway = build_gateway(config_file or context.obj)
    try:
        click.echo("\n".join([name, *way(gateway, name)]))
    except ModelNotFound as error:
        click.echo(error.message, err=True)
        context.exit(1)


def rows(gateway: CoreGateway) -> list[dict[str, Any]]:
    """One for each entry, then one for each alias whose model depends on the matched name."""
    model_map = gateway.models
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
            "known": _known(gateway, name),
            "from": model_map.sources.get(name, "code"),
        }
        for name, entry in model_map.entries.items()
    ]
    return entries + [
        {"name": alias, "alias_of": model_map.aliases[alias], "from": model_map.sources.get(alias)}
        for alias in free
    ]


def _known(gateway: CoreGateway, name: str) -> dict[str, Any] | None:
    """The description of an entry's model; None for a pattern, which matches many."""
    description = None if "*" in name else gateway.describe(name)
    return None if description is None else described(description)


def _key_of(model_map: ModelMap, name: str) -> str:
    return model_map.find(name).steps[0 if name in model_map.entries else -1].key


def way(gateway: CoreGateway, name: str) -> list[str]:
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
