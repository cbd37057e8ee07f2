"""The `handover` command: loads a command's code only when it runs, so that `--help` and the reader stay light."""

import gc
import os
import sys
from importlib import import_module

import click
import msgspec

from handover import __version__
from handover.cli import exit_codes
from handover.errors import HandoverError

#: Looking for cycles after every 700 new objects takes a tenth of a start, and of the work of a server.
_GARBAGE_THRESHOLD = 10_000
#: Command → where it is, and what `--help` says of it without loading it.
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("handover.cli.init:init", "Make an installation and print the first administrator's link."),
    "serve": ("handover.cli.serve:serve", "Serve the API, with a worker beside it."),
    "worker": ("handover.cli.serve:worker", "Run the background worker."),
    "migrate": ("handover.cli.migrate:migrate", "Bring the database to this version's schema."),
    "demo": ("handover.cli.demo:demo", "Play one complete company transfer."),
    "case": ("handover.cli.case:case", "List cases, show one, read its log."),
    "records": ("handover.cli.records:records", "Upload records to a case; list its record sets."),
    "package": ("handover.cli.package:package", "Seal, inspect and open packages."),
    "key": ("handover.cli.key:key", "Make a key; compute a safety number."),
    "verify": ("handover.cli.verify:verify", "Verify packages, documents, receipts and log exports offline."),
    "scan": ("handover.cli.scan:scan", "Find personal data in files."),
    "redact": ("handover.cli.scan:redact", "Take personal data out of files."),
    "audit": ("handover.cli.audit:audit", "Export, sign and verify the audit log."),
    "doctor": ("handover.cli.doctor:doctor", "Check settings, keys, workflows, fonts, storage and log."),
}


class LazyGroup(click.Group):
    """Knows its commands by name and loads the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def handover() -> None:
    """Run a company transfer from NDA to certified destruction, and check what came out of it."""


def main() -> None:
    """Entry point: every error becomes one line on stderr and the exit code of its kind."""
    gc.set_threshold(_GARBAGE_THRESHOLD)
    try:
        result = handover.main(standalone_mode=False)
    except HandoverError as error:
        _print(error)
        sys.exit(exit_codes.exit_code(error.kind))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(exit_codes.INTERRUPTED)
    except BrokenPipeError:
        # The reader went away; Python would complain once more while it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(exit_codes.FAILURE)
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] in {
            "sqlalchemy",
            "litestar",
            "uvicorn",
            "dramatiq",
            "alembic",
            "httpx",
        }:
            click.echo("error: this command needs the server part; install handover[server]", err=True)
            sys.exit(exit_codes.FAILURE)
        raise
    sys.exit(result if isinstance(result, int) else exit_codes.OK)


def _print(error: HandoverError) -> None:
    if "--json" in sys.argv:
        said = {"code": error.code, "message": error.message, "details": error.details}
        click.echo(msgspec.json.encode(said, enc_hook=str), err=True)
    else:
        click.echo(f"error: {error.message}", err=True)


if __name__ == "__main__":
    main()
