"""What foreign tools say of the demo's output: age, unzip, sha256sum, ssh-keygen, pdfsig; and what ours say."""

import json
import os
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from handover.archive.listing import Totals, read_listing
from handover.archive.manifest import decode_manifest
from handover.audit.export import read_lines
from handover.audit.verify import verify_export
from handover.crypto.trust import load_trust
from handover.demo.play import Check, Story
from handover.documents.verify import verify_pdf
from handover.errors import HandoverError
from handover.vault import Keyring


def check_all(story: Story, data_dir: Path, planted: list[str]) -> None:
    """Appends every check to the story."""
    if story.opened is not None:
        _package(story)
        _exclusions(story)
    _documents(story)
    _log(story)
    left = [key for key in _keys_left(data_dir) if key.startswith(("case:", "copy:"))]
    story.check("the key ring holds no key of the case any more", "handover demo", not left)
    hits = [text for text in planted if _found(data_dir, text)]
    story.check(
        f"{len(planted)} planted values are in no file of the data directory, raw or decompressed",
        "handover demo",
        not hits,
    )


def _keys_left(data_dir: Path) -> list[str]:
    """Ids of the keys that the installation still has."""
    ring = Keyring(data_dir / "keyring", data_dir.with_name(f"{data_dir.name}.master.key"))
    return sorted(ring.key_ids())


def _package(story: Story) -> None:
    folder = story.out / "buyer" / "by_hand"
    folder.mkdir(parents=True, exist_ok=True)
    archive, identity = folder / "closing.zip", story.out / "buyer" / "identity.txt"
    closing = story.out / "package" / "closing.age"
    _tool(story, "closing.age decrypts", "age", ["age", "-d", "-i", str(identity), "-o", str(archive), str(closing)])
    _tool(story, "the archive inside is whole", "unzip", ["unzip", "-tq", str(archive)])
    _tool(story, "it unpacks", "unzip", ["unzip", "-oq", str(archive), "-d", str(folder)])
    if shutil.which("age") is None or shutil.which("unzip") is None:
        return
    lines = chain.from_iterable(read_listing([(folder / "FILES.jsonl").read_bytes()], Totals()))
    sums = folder / "SHA256SUMS"
    sums.write_text("".join(f"{line.sha256}  {line.path}\n" for line in lines))
    _tool(story, "every file matches the manifest", "sha256sum", ["sha256sum", "-c", "--quiet", sums.name], cwd=folder)
    decode_manifest((folder / "MANIFEST.json").read_bytes())
    signers = story.out / "trust" / "allowed_signers"
    principal = signers.read_text().split()[0]
    verify = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", principal, "-n", "handover-manifest@v1"]
    signed = [*verify, "-s", str(folder / "MANIFEST.json.sig")]
    _tool(story, "the manifest is signed by the pinned key", "ssh-keygen", signed, stdin=folder / "MANIFEST.json")
    own = sorted(p.read_bytes() for p in (story.opened or folder).rglob("*") if p.is_file() and "files" in p.parts)
    hand = sorted(p.read_bytes() for p in (folder / "files").rglob("*") if p.is_file())
    story.check(
        "our reader and the foreign tools unpack the same bytes", "handover package open", own == hand and bool(own)
    )


def _exclusions(story: Story) -> None:
    """Customers who refused or said nothing are in no file of the package."""
    from handover.demo.records import consent_of

    opened = b"".join(
        p.read_bytes() for p in (story.opened or story.out).rglob("*") if p.is_file() and p.suffix != ".xlsx"
    )
    out = [s for i, s in enumerate(story.subjects, 1) if consent_of(i) != "granted"]
    inside = [s for i, s in enumerate(story.subjects, 1) if consent_of(i) == "granted"]
    missing = [s for s in out if s.encode() in opened]
    present = sum(1 for s in inside[:200] if s.encode() in opened)
    if story.subjects:
        story.check(
            f"{len(out)} customers without consent are not in the package",
            "handover demo",
            not missing and bool(story.excluded),
        )
        story.check("customers who consented are in it", "handover demo", present > 0 or not inside)


def _documents(story: Story) -> None:
    pdfs = sorted((story.out / "documents").glob("*.pdf"))
    ca = (story.out / "trust" / "ca.pem").read_bytes()
    held = 0
    for pdf in pdfs:
        try:
            checked = verify_pdf(pdf.read_bytes(), ca_pem=ca)
            held += checked.twin == pdf.with_suffix(".json").read_bytes()
        except HandoverError:
            continue
    story.check(f"{len(pdfs)} documents hold, twins equal", "handover verify", held == len(pdfs) and held > 0)
    if shutil.which("pdfsig") is None:
        story.checks.append(Check("every PDF signature is valid", "pdfsig", "TOOL NOT INSTALLED"))
        return
    good = 0
    for pdf in pdfs:
        said = subprocess.run(["pdfsig", str(pdf)], capture_output=True, text=True, check=False).stdout  # noqa: S607
        good += "Signature is Valid" in said and "Total document signed" in said
    story.check("every PDF signature is valid and covers the whole file", "pdfsig", good == len(pdfs) and good > 0)


def _log(story: Story) -> None:
    trust = load_trust(story.out / "trust")
    kept = [story.early_checkpoint, (story.out / "audit" / "checkpoint.txt").read_text()]
    try:
        with (story.out / "audit" / "export.jsonl").open("rb") as file:
            verified = verify_export(read_lines(file), checkpoints=kept, keys=trust.log_keys)
        story.check(
            f"the log of {verified.size} entries verifies against two kept checkpoints",
            "handover audit verify",
            ok=True,
        )
    except HandoverError:
        story.check("the log verifies against two kept checkpoints", "handover audit verify", ok=False)


def _tool(
    story: Story, name: str, tool: str, command: list[str], *, stdin: Path | None = None, cwd: Path | None = None
) -> None:
    if shutil.which(tool) is None:
        story.checks.append(Check(name, tool, "TOOL NOT INSTALLED"))
        return
    source = stdin.open("rb") if stdin else None
    try:
        done = subprocess.run(command, stdin=source, capture_output=True, check=False, cwd=cwd)
    finally:
        if source:
            source.close()
    story.check(name, tool, done.returncode == 0)


def _found(folder: Path, text: str) -> bool:
    """Whether a value is in any file: as UTF-8, UTF-16, GB18030, or inside deflate or zlib streams at its start."""
    needles = [text.encode(code) for code in ("utf-8", "utf-16-le", "gb18030")]
    return any(needle in data for data in _contents(folder) for needle in needles)


def _contents(folder: Path) -> Iterator[bytes]:
    for root, _, names in os.walk(folder):
        for name in names:
            data = (Path(root) / name).read_bytes()
            yield data
            for bits in (-15, 15, 31):
                try:
                    yield zlib.decompressobj(bits).decompress(data)
                except zlib.error:
                    continue


def summary(story: Story, artefacts: list[dict[str, Any]]) -> dict[str, Any]:
    """The content of summary.json."""
    return {
        "stages": [{"name": s.name, "state": s.state, "seconds": s.seconds} for s in story.stages],
        "artefacts": artefacts,
        "checks": [{"name": c.name, "tool": c.tool, "result": c.result} for c in story.checks],
    }


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
