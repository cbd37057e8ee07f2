"""`handover scan` and `handover redact`: find personal data in files, and take it out. Both work offline.

Every file is parsed in a child without network. A file that can't be inspected is reported with the reason and never copied.
"""

import contextlib
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from handover.archive.errors import TargetExistsError
from handover.cli.scan_progress import shown
from handover.detection import MemberReport, ScanReport, holds_personal_data, inspect_isolated, local_name
from handover.errors import InvalidInputError, NotFoundError
from handover.formats import FormatRefusedError
from handover.i18n import Text
from handover.masking import Policy, RedactionReport, default_policy, redact_isolated, residual_isolated
from handover.sandbox import LocalFile

_PARTIAL, _VERIFICATION_FAILED = 3, 6
_MIN_KEY = 16


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--spans", is_flag=True, help="Print every hit's place as one JSON object a line.")
def scan(paths: tuple[Path, ...], as_json: bool, spans: bool) -> None:
    """Find personal data in files and folders."""
    reports = [(path, _scan(path, spans=spans)) for path in _files(paths)]
    if as_json and not spans:
        click.echo(msgspec.json.encode({"files": [row for path, report in reports for row in _as_json(path, report)]}))
    for path, report in reports:
        _say_limits(path, report.limits)
        if report.blocked is not None:
            click.echo(f"{path}: {report.blocked.zh} / {report.blocked.en}", err=True)
            for member in report.members:
                if member.blocked is not None:
                    shown = _within(path, member.path)
                    click.echo(f"{shown}: {member.blocked.zh} / {member.blocked.en}", err=True)
        elif not as_json and not spans:
            _print(path, report)
    if any(report.blocked for _, report in reports):
        sys.exit(_PARTIAL)


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--policy", "policy_file", type=click.Path(path_type=Path), help="TOML or JSON; without it only hits go.")
@click.option("--key-file", type=click.Path(path_type=Path), help="Pseudonym key; without it a new one is used once.")
@click.option("--check", is_flag=True, help="Scan the output a second time; it is kept only if nothing is left.")
def redact(source: Path, target: Path, policy_file: Path | None, key_file: Path | None, check: bool) -> None:
    """Take personal data out of IN (a file or a folder) and write OUT."""
    policy = _policy(policy_file) if policy_file else default_policy()
    key = _key(key_file) if key_file else secrets.token_bytes(32)
    refused = left = 0
    for number, path in enumerate(_files((source,)), 1):
        output = target / _clean_name(path.relative_to(source), number) if source.is_dir() else target
        try:
            leftover = _redact(path, output, policy, key, check=check)
        except FormatRefusedError as error:
            refused += 1
            click.echo(f"{path}: {error.reason.zh} / {error.reason.en}", err=True)
            continue
        left += bool(leftover)
        if leftover:
            found = ", ".join(f"{kind} {count}" for kind, count in sorted(leftover.items()))
            click.echo(f"{path}: not written, the second scan still finds {found}; change the policy", err=True)
    if left:
        sys.exit(_VERIFICATION_FAILED)
    if refused:
        sys.exit(_PARTIAL)


def _clean_name(path: Path, number: int) -> Path:
    """Where a file of a folder is written: under its own name, unless that tells of a person."""
    if not any(holds_personal_data(part) for part in (*path.parent.parts, path.stem)):
        return path
    clean = Path(f"file-{number}{path.suffix}")
    click.echo(f"file {number}: its name holds personal data, so it is written as {clean}", err=True)
    return clean


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(item for item in path.rglob("*") if item.is_file() and not item.is_symlink())
        elif path.is_file():
            yield path
        elif path.exists():
            raise InvalidInputError(f"{path}: is no file that can be read twice; write it to a file first")
        else:
            raise NotFoundError(f"{path}: there is no such file")


def _scan(path: Path, *, spans: bool) -> ScanReport:
    def show(rows: bytes) -> None:
        for row in rows.splitlines():
            place = msgspec.json.decode(row)
            member = place.pop("member")
            click.echo(msgspec.json.encode({"path": _within(path, member), **place}))

    key, on_spans = secrets.token_bytes(32), show if spans else None
    with shown(path) as progress:
        return inspect_isolated(LocalFile(path), path.name, key=key, on_spans=on_spans, progress=progress)


def _within(path: Path, member: str) -> str:
    return f"{path}!{member}" if member else str(path)


def _as_json(path: Path, report: ScanReport) -> Iterator[dict[str, object]]:
    """The file, and each file within it. The persons of a container are those of all files in it."""
    own = report.records - sum(member.records for member in report.members)
    yield _file_as_json(
        path,
        report,
        MemberReport(path="", format=report.format, records=own, persons=report.persons, blocked=report.blocked),
    )
    for member in report.members:
        yield _file_as_json(path, report, member)


def _file_as_json(path: Path, report: ScanReport, file: MemberReport) -> dict[str, object]:
    limits = {"limits": [limit.en for limit in report.limits]} if report.limits and not file.path else {}
    return {
        "path": _within(path, file.path),
        "format": file.format,
        "records": file.records,
        "persons": file.persons,
        "fields": [
            {"name": local_name(field.name, field.member), "level": field.level, "kinds": field.kinds}
            for field in report.fields
            if field.member == file.path
        ],
        "blocked": file.blocked.en if file.blocked else None,
        **limits,
    }


def _print(path: Path, report: ScanReport) -> None:
    click.echo(f"{path}: {report.format}, {report.records} records, {report.persons} persons, {report.level}")
    for field in report.fields:
        kinds = ", ".join(f"{kind} {count}" for kind, count in field.kinds.items())
        click.echo(f"  {field.level}  {field.name}{': ' if kinds else ''}{kinds}")


def _policy(path: Path) -> Policy:
    try:
        data = path.read_bytes()
        decode = msgspec.toml.decode if path.suffix == ".toml" else msgspec.json.decode
        return decode(data, type=Policy)
    except FileNotFoundError:
        raise NotFoundError(f"{path}: there is no such file") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path}: not a redaction policy: {error}") from None


def _key(path: Path) -> bytes:
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        raise NotFoundError(f"{path}: there is no such file") from None
    if len(key) < _MIN_KEY:
        raise InvalidInputError(f"{path}: a pseudonym key has at least {_MIN_KEY} bytes")
    return key


def _redact(path: Path, output: Path, policy: Policy, key: bytes, *, check: bool) -> dict[str, int]:
    """Writes one file under its name once it is whole and, with `check`, clean; returns what was left over."""
    if output.exists():
        raise TargetExistsError(f"{output}: exists already; choose another name or remove it")
    output.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=".handover-", dir=output.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            report = redact_isolated(LocalFile(path), path.name, policy, key, sink=file)
            os.fsync(file.fileno())
        if check:
            second = residual_isolated(LocalFile(Path(temporary)), path.name, policy, source=LocalFile(path))
            if second.leftover:
                return second.leftover_kinds
        # A link, not a rename: another process may have made the target meanwhile, and nothing is overwritten.
        os.link(temporary, output)
        _say(path, output, report)
    except FileExistsError:
        raise TargetExistsError(f"{output}: exists already; choose another name or remove it") from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
    return {}


def _say(path: Path, output: Path, report: RedactionReport) -> None:
    _say_limits(path, report.limits)
    replaced = sum(field.replaced for field in report.fields)
    click.echo(f"{path} → {output}: {report.records_out} records, {replaced} values replaced", err=True)


def _say_limits(path: Path, limits: list[Text]) -> None:
    for limit in limits:
        click.echo(f"{path}: {limit.zh} / {limit.en}", err=True)
