"""What the demo leaves in its folder: documents, log, trust anchors, packages, a summary and a page that explains them."""

import hashlib
import html
import shutil
from pathlib import Path
from typing import Any

from handover.demo.checks import as_json, summary
from handover.demo.play import Story

_PAGE = """<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>handover DEMO 演示</title>
<style>body{{font:16px/1.6 system-ui,"Noto Sans SC",sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse;width:100%}}td,th{{text-align:left;border-bottom:1px solid #ccc;padding:.3rem}}
pre{{background:#f4f4f4;padding:1rem;overflow:auto}}</style></head><body>
<h1>handover DEMO 演示</h1>
<p>一次完整的公司转让：各阶段、产物与核验。<br>One complete company transfer: stages, artefacts and checks.</p>
<h2>核验 Check it yourself</h2>
<pre>{commands}</pre>
<h2>阶段 Stages</h2><table><tr><th>阶段 Stage</th><th>状态 State</th><th>秒 s</th></tr>{stages}</table>
<h2>检查 Checks</h2><table><tr><th>检查 Check</th><th>工具 Tool</th><th>结果 Result</th></tr>{checks}</table>
<h2>产物 Artefacts</h2><table><tr><th>类型 Kind</th><th>路径 Path</th></tr>{artefacts}</table>
</body></html>
"""
_COMMANDS = """age -d -i buyer/identity.txt -o closing.zip package/closing.age
unzip -d closing closing.zip
ssh-keygen -Y verify -f trust/allowed_signers -I "$(cut -d' ' -f1 trust/allowed_signers | head -1)" \\
  -n handover-manifest@v1 -s closing/MANIFEST.json.sig &lt; closing/MANIFEST.json
handover package open package/closing.age -i buyer/identity.txt -o opened --trust trust
handover verify documents/*.pdf --trust trust
handover audit verify audit/export.jsonl --checkpoint audit/checkpoint.txt --key trust/log.vkey"""


def collect(story: Story, trust_dir: Path) -> None:
    """Fetches what the people of the case may have: documents by legal, log and checkpoint by legal, anchors."""
    cast = story.cast
    if cast is None:
        return
    documents, audit = story.out / "documents", story.out / "audit"
    for folder in (documents, audit):
        folder.mkdir(parents=True, exist_ok=True)
    for row in cast.legal.get("/documents", case_id=cast.case_id):
        name = f"{row['number']}-{row['kind']}"
        (documents / f"{name}.pdf").write_bytes(cast.legal.raw(f"/documents/{row['id']}/pdf"))
        (documents / f"{name}.json").write_bytes(cast.legal.raw(f"/documents/{row['id']}/facts"))
    (audit / "export.jsonl").write_bytes(cast.legal.raw("/audit/export", case_id=cast.case_id))
    (audit / "checkpoint.txt").write_text(cast.legal.get("/audit/checkpoint")["checkpoint"])
    shutil.copytree(trust_dir, story.out / "trust", dirs_exist_ok=True)


def write_identities(story: Story) -> None:
    """The buyer's private key never was on the server; here it lies beside the packages, because this is a demo."""
    if not story.identity:
        return
    folder = story.out / "buyer"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "identity.txt").write_text(f"{story.identity}\n")
    (folder / "losing_bidder_identity.txt").write_text(f"{story.loser_identity}\n")


def write_summary(story: Story) -> dict[str, Any]:
    """summary.json and index.html; returns the summary."""
    found = summary(story, _artefacts(story.out))
    (story.out / "summary.json").write_text(as_json(found))
    page = _PAGE.format(
        commands=_COMMANDS,
        stages=_rows(found["stages"], "name", "state", "seconds"),
        checks=_rows(found["checks"], "name", "tool", "result"),
        artefacts=_rows(found["artefacts"], "kind", "path"),
    )
    (story.out / "index.html").write_text(page)
    return found


def _artefacts(out: Path) -> list[dict[str, Any]]:
    kinds = {"package": "package", "documents": "document", "audit": "log", "trust": "trust anchor", "buyer": "buyer"}
    found = []
    for path in sorted(out.rglob("*")):
        relative = path.relative_to(out)
        if path.is_file() and relative.parts[0] in kinds and "by_hand" not in relative.parts:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found.append({"kind": kinds[relative.parts[0]], "path": relative.as_posix(), "sha256": digest})
    return found


def _rows(rows: list[dict[str, Any]], *names: str) -> str:
    return "".join("<tr>" + "".join(f"<td>{html.escape(str(row[n]))}</td>" for n in names) + "</tr>" for row in rows)
