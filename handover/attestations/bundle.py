"""The evidence bundle: everything a stranger needs to check a case's documents and its log, in one ZIP, years later.

It is written to a temporary file that stays in memory while it is small. What lies in it is what the service holds:
the documents that the reader may see, the case's export of the log, and the public keys; no customer data.
"""

import tempfile
import uuid
import zipfile
from collections.abc import Iterator
from typing import IO

from jinja2 import Environment

from handover.attestations.models import IssuedDocument
from handover.attestations.queries import documents_of, read_pdf, read_twin
from handover.audit import AuditLog
from handover.audit.queries import newest_note
from handover.context import Context
from handover.crypto.trust import ALLOWED_SIGNERS, CA_PEM, LOG_VKEY, MLDSA_PEM
from handover.settings import Settings

#: Beyond this the bundle is built on disk.
_IN_MEMORY = 8 << 20
#: What is sent at a time.
_PIECE = 1 << 18
#: Every member carries the same time, so that the same evidence gives the same file.
_TIME = (1980, 1, 1, 0, 0, 0)


def make_bundle(ctx: Context, case_id: uuid.UUID, reference: str, templates: Environment) -> IO[bytes]:
    """The ZIP, at its beginning; needs a kept checkpoint (make one before)."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  (the caller sends and closes it)
    documents = documents_of(ctx, case_id)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        index = templates.get_template("attestations/bundle.html").render(reference=reference, documents=documents)
        _put(archive, "index.html", index.encode())
        for row in documents:
            _put_document(ctx, archive, row)
        _put(archive, "audit/checkpoint.txt", (newest_note(ctx) or "").encode())
        with archive.open(_member("audit/export.jsonl"), "w", force_zip64=True) as member:
            for line in ctx.get(AuditLog).export(ctx, case_id):
                member.write(line)
        for name in (CA_PEM, ALLOWED_SIGNERS, MLDSA_PEM, LOG_VKEY):
            path = ctx.get(Settings).trust_dir / name
            if path.is_file():
                _put(archive, f"trust/{name}", path.read_bytes())
    file.seek(0)
    return file


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """The file's bytes, a bounded number at a time; closes it at the end."""
    with file:
        while piece := file.read(_PIECE):
            yield piece


def _put_document(ctx: Context, archive: zipfile.ZipFile, row: IssuedDocument) -> None:
    _put(archive, f"documents/{row.number}.pdf", read_pdf(ctx, row))
    _put(archive, f"documents/{row.number}.json", read_twin(ctx, row))


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(_member(name), data)


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info
