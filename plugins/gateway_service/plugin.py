"""The gateway as a service of the operating system, as a plugin: `dragoman service`, and systemd told."""

import os
from contextlib import AbstractAsyncContextManager

import click

from gateway import hookimpl
from gateway.interface import Gateway
from gateway_service.commands import service_command
from gateway_service.notify import address_of, notifying, ping_seconds


@hookimpl
def gateway_register_commands(cli: click.Group) -> None:
    """`dragoman service`."""
    cli.add_command(service_command)


@hookimpl(trylast=True)
def gateway_lifespan(gateway: Gateway) -> AbstractAsyncContextManager[None] | None:
    """Inside of all others, so that "ready" is said when they are. Nothing where nobody listens."""
    if (address := address_of(os.environ)) is None:
        return None
    return notifying(address, ping_seconds(os.environ), lambda: gateway.draining)
