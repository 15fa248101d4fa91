"""`dragoman plugins`: list them, check a file, and write a new one."""

import json
from pathlib import Path

import click

from gateway.cli.options import config_option, note_other_configuration
from gateway.cli.plugin_report import PluginReport, check_file, report
from gateway.cli.plugin_templates import package_files, single_file
from gateway.errors import ConfigurationError
from gateway.hooks.specs import KINDS
from gateway.machine.command_name import command_line
from gateway.startup.build import build_gateway

EXAMPLES = """\b
Examples:
  dragoman plugins list
  dragoman plugins check plugins/my_plugin.py
  dragoman plugins new my_plugin
"""
LIST_EXAMPLES = """\b
Examples:
  dragoman plugins list
  dragoman plugins list --json
"""
CHECK_EXAMPLES = """\b
Examples:
  dragoman plugins check plugins/my_plugin.py
"""
NEW_EXAMPLES = """\b
Examples:
  dragoman plugins new my_plugin
  dragoman plugins new my_plugin --package
"""


@click.group(epilog=EXAMPLES)
def plugins() -> None:
    """List, check and create plugins."""


@plugins.command("list", epilog=LIST_EXAMPLES)
@config_option
@click.option("--disable", "disabled", multiple=True, metavar="PLUGIN", help="Same as for `serve`.")
@click.option("--json", "as_json", is_flag=True, help="Output JSON.")
def list_plugins(
    config_file: Path | None,
    disabled: tuple[str, ...],
    as_json: bool,  # noqa: FBT001 - click passes it by name
) -> None:
    """List the plugins and their hooks.

    The number after a hook is its position in the call order.
    """
    gateway = build_gateway(config_file, disabled=disabled)
    found = report(gateway.plugins, gateway.config)
    if as_json:
        click.echo(json.dumps([plugin.as_json() for plugin in found], indent=2))
        return
    for plugin in found:
        click.echo(_described(plugin))
    if not found:
        click.echo("No plugins are installed or found beside the configuration file.", err=True)
    note_other_configuration(config_file, gateway.config.path)


def _described(plugin: PluginReport) -> str:
    where = " ".join(filter(None, (plugin.origin, plugin.version)))
    first = f"{plugin.name} ({', '.join(filter(None, (where, plugin.state)))})"
    hooks = (f"  {hook} #{place} [{KINDS[hook]}]" for hook, place in plugin.hooks.items())
    return "\n".join((first, *hooks))


@plugins.command("check", epilog=CHECK_EXAMPLES)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(file: Path) -> None:
    """Check a single-file plugin.

    FILE is imported and checked as when the gateway starts.
    """
    found = check_file(file)
    if not found.hooks:
        raise ConfigurationError(
            f"plugin file {file} has no hooks: mark functions named gateway_… with "
            "`@gateway.hookimpl`"
        )
    click.echo(f"{file}: ok. Its hooks:")
    for hook in found.hooks:
        click.echo(f"  {hook} [{KINDS[hook]}]")


@plugins.command("new", epilog=NEW_EXAMPLES)
@click.argument("name")
@click.option("--package", is_flag=True, help="Create an installable package in its own folder.")
def new(name: str, package: bool) -> None:  # noqa: FBT001
    """Create a plugin, with a test.

    It is `plugins/NAME.py`, or a package.
    """
    if not name.isidentifier() or not name.islower():
        raise ConfigurationError(f"{name!r} is not a valid plugin name: use a_b_c, lower case")
    files = package_files(name) if package else single_file(name)
    if there := [path for path in files if path.exists()]:
        raise ConfigurationError(f"{there[0]} already exists")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        click.echo(f"wrote {path}")
    if not package:
        serve = command_line("serve", "--config", "models.yaml")
        click.echo(f"To load it, in this folder: {serve}", err=True)
