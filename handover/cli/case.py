"""`handover case`: looks at cases of a running server, as the person whose token is in HANDOVER_TOKEN."""

import os
from typing import Any

import click
import msgspec

from handover.errors import HandoverError, Kind, NotFoundError


class ServerError(HandoverError):
    """The server refused or did not answer."""

    code = "server_refused"
    kind = Kind.UNAVAILABLE


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
    rows = _get(url, "/cases")["items"]
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
    shown = {**_get(url, f"/cases/{case_id}"), "next": _get(url, f"/cases/{case_id}/transitions")}
    click.echo(msgspec.json.format(msgspec.json.encode(shown)))


@case.command()
@click.argument("case_id", type=click.UUID)
@click.pass_obj
def log(url: str, case_id: object) -> None:
    """The audit log of a case, one entry a line."""
    cursor = None
    while True:
        page = _get(url, "/audit", case_id=str(case_id), **({"cursor": cursor} if cursor else {}))
        for item in page["items"]:
            click.echo(msgspec.json.encode(item["entry"]))
        cursor = page["next"]
        if cursor is None:
            return


def _get(url: str, path: str, **query: str) -> Any:
    import httpx

    headers = {"Authorization": f"Bearer {os.environ.get('HANDOVER_TOKEN', '')}"}
    try:
        answer = httpx.get(f"{url}/api/v1{path}", params=query, headers=headers, timeout=30)
    except httpx.HTTPError as error:
        raise ServerError(f"{url} does not answer: {type(error).__name__}") from error
    if answer.status_code == 404:
        raise NotFoundError(str(answer.json().get("detail")))
    if answer.status_code >= 400:
        raise ServerError(str(answer.json().get("detail")))
    return answer.json()
