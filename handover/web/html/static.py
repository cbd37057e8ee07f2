"""Style sheets, scripts and vendor files: read once, named by their common digest, so that browsers keep them for good."""

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from litestar import Request, Response, get

from handover.errors import NotFoundError

FOLDER = Path(__file__).resolve().parents[1] / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
_INERT = "default-src 'none'; frame-ancestors 'none'"
#: A worker is governed by the policy of its own file, not of the page: ours load their modules and the package.
_WORKER = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; frame-ancestors 'none'"
#: Below this, compression saves nothing.
_SMALL = 256


class Asset(NamedTuple):
    """One file as it is sent."""

    plain: bytes
    packed: bytes | None
    media_type: str


@cache
def assets() -> dict[str, Asset]:
    """Every file that may be served, by its path below the folder."""
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file() and path.suffix in _TYPES:
            data = path.read_bytes()
            packed = gzip.compress(data, 9, mtime=0) if len(data) > _SMALL else None
            found[path.relative_to(FOLDER).as_posix()] = Asset(data, packed, _TYPES[path.suffix])
    return found


@cache
def release() -> str:
    """The digest of all files together: a changed file has another address."""
    digest = hashlib.sha256()
    for name, asset in assets().items():
        digest.update(name.encode() + b"\0" + hashlib.sha256(asset.plain).digest())
    return digest.hexdigest()[:16]


def address(name: str) -> str:
    """Where a file is served; a misspelt name is a defect of the template.

    Raises:
        KeyError: there is no such file.
    """
    if name not in assets():
        raise KeyError(name)
    return f"/static/{release()}/{name}"


@get("/static/{digest:str}/{name:path}", include_in_schema=False, security=[])
async def static_file(request: Request[Any, Any, Any], digest: str, name: Any) -> Response[bytes]:
    """One file."""
    asset = assets().get(str(name).lstrip("/"))
    if asset is None:
        raise NotFoundError("there is no such file")
    current = digest == release()
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if current else "no-cache",
        "Vary": "Accept-Encoding",
        "Content-Security-Policy": _WORKER if str(name).endswith("-worker.js") else _INERT,
    }
    if asset.packed and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.packed, media_type=asset.media_type, headers=headers)
    return Response(asset.plain, media_type=asset.media_type, headers=headers)
