"""Finding the texts that a user may read, in a small tree."""

from pathlib import Path

from scripts.user_strings import texts

MODULE = '''
"""Not for users: a docstring."""
import click

NAME = "two words"
ADVICE = "Use another version of the CLI"
"""Not for users either: it says what the constant is."""

@click.command()
@click.option("--port", help="The port to listen on")
def serve(port):
    """Serve until it is stopped.

    Really.
    """
    click.echo(f"at {port}, if {ADVICE}")
    log.info("serving at %s", port)
    Field(description="A number")
    raise ConfigurationError(f"port {port} " + "is taken")
'''


def test_each_kind_is_found(tmp_path: Path) -> None:
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "cli.py").write_text(MODULE, encoding="utf-8")
    found = [(each.kind, each.text) for each in texts(tmp_path)]
    assert sorted(found) == [
        ("api", "A number"),
        ("errors", "is taken"),
        ("errors", "port {…}"),
        ("help", "Serve until it is stopped. Really."),
        ("help", "The port to listen on"),
        ("log", "serving at %s"),
        ("other", "Use another version of the CLI"),
        ("output", "at {…}, if {…}"),
    ]
    assert all(each.place.startswith("gateway/cli.py:") for each in texts(tmp_path))
