"""`handover case`: looks at cases of a running server, as the person whose token is in HANDOVER_TOKEN."""

import click
import msgspec

from handover.cli.remote import Server


@click.group()
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="The server's address.")
@click.pass_context
def case(ctx: click.Context, url: str) -> None:
    """List cases, show one, read its log. The API token is taken from HANDOVER_TOKEN."""
    ctx.obj = url


@case.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_cases(url: str, as_json: bool) -> None:
    """The cases that you take part in."""
    with Server(url) as server:
        rows = server.get("/cases")["items"]
    if as_json:
        click.echo(msgspec.json.encode(rows))
        return
    for row in rows:
        click.echo(f"{row['id']}  {row['reference']}  {row['state']:24}  {row['structure']}")


@case.command()
@click.argument("case_id", type=click.UUID)
@click.pass_obj
def show(url: str, case_id: object) -> None:
    """One case, and what can happen next: who must act, and what blocks it."""
    with Server(url) as server:
        shown = {**server.get(f"/cases/{case_id}"), "next": server.get(f"/cases/{case_id}/transitions")}
    click.echo(msgspec.json.format(msgspec.json.encode(shown)))


@case.command()
@click.argument("case_id", type=click.UUID)
@click.pass_obj
def log(url: str, case_id: object) -> None:
    """The audit log of a case, one entry a line."""
    cursor: dict[str, str] = {}
    with Server(url) as server:
        while True:
            page = server.get("/audit", case_id=str(case_id), **cursor)
            for item in page["items"]:
                click.echo(msgspec.json.encode(item["entry"]))
            if page["next"] is None:
                return
            cursor = {"cursor": page["next"]}
