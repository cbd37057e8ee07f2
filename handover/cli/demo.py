"""`handover demo`: one complete transfer through the real HTTP API, then checks by foreign tools."""

import shutil
import tempfile
import time
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from handover.cli.exit_codes import VERIFICATION
from handover.demo import records
from handover.demo.checks import as_json, check_all
from handover.demo.output import collect, write_identities, write_summary
from handover.demo.play import Story, play
from handover.demo.server import running
from handover.demo.subjects import subjects_in

_STRUCTURES = {"asset": "asset_transfer", "equity": "equity_transfer"}
#: How many invented or given values are looked for in the data directory afterwards.
_PLANTED = 40


@click.command()
@click.option(
    "--input", "inputs", type=click.Path(exists=True, path_type=Path), multiple=True, help="Your own files or folders."
)
@click.option(
    "--records",
    "count",
    default=20_000,
    show_default=True,
    type=click.IntRange(50, 1_000_000),
    help="Customers to invent.",
)
@click.option("--seed", default=1, show_default=True, help="Another seed invents other customers.")
@click.option("--structure", type=click.Choice(list(_STRUCTURES)), default="asset", show_default=True)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("handover-demo"), show_default=True
)
@click.option("--keep", is_flag=True, help="Keep the demo's data directory (printed at the end).")
@click.option("--json", "as_json_", is_flag=True, help="Print summary.json on stdout.")
def demo(
    inputs: tuple[Path, ...], count: int, seed: int, structure: str, out: Path, keep: bool, as_json_: bool
) -> None:
    """Play one complete company transfer, from NDA to destruction certificate."""
    console = Console(stderr=True)
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    place = Path(tempfile.mkdtemp(prefix="handover-demo-"))
    started = time.monotonic()
    try:
        story = _story(inputs, count, seed, structure, out, place / "input", console)
        with running(place / "data") as server:
            play(story, server)
            write_identities(story)
            collect(story, server.data_dir / "trust")
        seconds = time.monotonic() - started
        check_all(story, place / "data", _planted(story))
        found = write_summary(story)
    finally:
        if keep:
            console.print(f"data directory kept: {place / 'data'}")
        else:
            shutil.rmtree(place, ignore_errors=True)
            Path(f"{place / 'data'}.master.key").unlink(missing_ok=True)
    if as_json_:
        click.echo(as_json(found), nl=False)
    else:
        _print(console, story, seconds, out)
    if any(check.result == "FAIL" for check in story.checks):
        raise SystemExit(VERIFICATION)


def _story(
    inputs: tuple[Path, ...], count: int, seed: int, structure: str, out: Path, folder: Path, console: Console
) -> Story:
    def say(text: str) -> None:
        console.print(f"[bold]▸[/bold] {text}")

    if inputs:
        files = [f for path in inputs for f in (sorted(path.rglob("*")) if path.is_dir() else [path]) if f.is_file()]
        subjects = subjects_in(files)
    else:
        people = records.customers(count, seed)
        files = records.write_all(people, folder, seed)
        subjects = [person.number for person in people]
    return Story(out=out, files=files, subjects=subjects, structure=_STRUCTURES[structure], say=say)


def _planted(story: Story) -> list[str]:
    """Values that were in the input: customers' references and texts, names of parties and people, notes."""
    names = [person.name for person in story.cast.people.values()] if story.cast else []
    texts = ["上海华星家电服务有限公司", "浦东智家服务有限公司", "已删除下载的尽调数据包", "售后服务不需要银行卡号"]
    step = max(1, len(story.subjects) // 24)
    values = [value for value in story.subjects[::step] if len(value) >= 6][: _PLANTED - len(names) - len(texts)]
    return [*names, *texts, *values]


def _print(console: Console, story: Story, seconds: float, out: Path) -> None:
    stages = Table("阶段 Stage", "状态 State", "秒 s", title=f"DEMO 演示 · {seconds:.1f} s")
    for stage in story.stages:
        stages.add_row(stage.name, stage.state, f"{stage.seconds:.2f}")
    checks = Table("检查 Check", "工具 Tool", "结果 Result")
    for check in story.checks:
        style = {"PASS": "green", "FAIL": "bold red"}.get(check.result, "yellow")
        checks.add_row(check.name, check.tool, f"[{style}]{check.result}[/{style}]")
    out_console = Console()
    out_console.print(stages)
    out_console.print(checks)
    out_console.print(f"{out}/index.html")
    console.print()
