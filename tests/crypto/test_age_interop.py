"""Other implementations of age open what we make, and we open what they make: pyrage (Rust) and typage (JavaScript)."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pyrage
import pytest

from handover.crypto.age import (
    decrypt_bytes,
    decrypt_file,
    encrypt_bytes,
    encrypt_file,
    generate_identity,
    recipient_of,
)
from handover.crypto.age.placed import PlacedWriter

CHUNK = 64 * 1024
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 40 * CHUNK + 7]
#: The version that the portal's browser code is made of; kept here so that one download serves every run.
TYPAGE = "0.3.1"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "handover-tests" / f"age-encryption-{TYPAGE}"
_SCRIPT = """
import { readFileSync, writeFileSync } from "node:fs";
import { Decrypter, Encrypter } from "age-encryption";
const [verb, key, input, output] = process.argv.slice(2);
const data = readFileSync(input);
if (verb === "seal") { const e = new Encrypter(); e.addRecipient(key); writeFileSync(output, await e.encrypt(data)); }
else { const d = new Decrypter(); d.addIdentity(key); writeFileSync(output, await d.decrypt(data)); }
"""


@pytest.mark.parametrize("size", SIZES)
def test_pyrage_opens_ours_and_we_open_what_it_made(tmp_path: Path, size: int) -> None:
    identity, data = generate_identity(), os.urandom(size)
    theirs = pyrage.x25519.Identity.from_str(identity)
    (tmp_path / "plain").write_bytes(data)
    encrypt_file(tmp_path / "plain", tmp_path / "ours", [recipient_of(identity)])
    assert pyrage.decrypt((tmp_path / "ours").read_bytes(), [theirs]) == data
    (tmp_path / "theirs").write_bytes(pyrage.encrypt(data, [theirs.to_public()]))
    decrypt_file(tmp_path / "theirs", tmp_path / "back", [identity])
    assert (tmp_path / "back").read_bytes() == data


def test_pyrage_opens_a_file_that_was_written_by_offset(tmp_path: Path) -> None:
    identity, data = generate_identity(), os.urandom(20 * CHUNK + 5)
    with (
        (tmp_path / "placed").open("w+b") as sink,
        PlacedWriter(sink.fileno(), [recipient_of(identity)], len(data)) as writer,
    ):
        writer.position = 3000
        writer.write(data[3000:])
        writer.position = 0
        writer.write(data[:3000])
    assert pyrage.decrypt((tmp_path / "placed").read_bytes(), [pyrage.x25519.Identity.from_str(identity)]) == data


@pytest.mark.parametrize("post_quantum", [False, True], ids=["x25519", "mlkem768x25519"])
@pytest.mark.parametrize("size", [0, CHUNK, 3 * CHUNK + 7])
def test_typage_opens_ours_and_we_open_what_it_made(tmp_path: Path, size: int, post_quantum: bool) -> None:
    folder = _typage()
    identity, data = generate_identity(post_quantum=post_quantum), os.urandom(size)
    (tmp_path / "plain").write_bytes(data)
    (tmp_path / "ours").write_bytes(encrypt_bytes(data, [recipient_of(identity)]))
    _node(folder, "open", identity, tmp_path / "ours", tmp_path / "opened")
    assert (tmp_path / "opened").read_bytes() == data
    _node(folder, "seal", recipient_of(identity), tmp_path / "plain", tmp_path / "theirs")
    assert decrypt_bytes((tmp_path / "theirs").read_bytes(), [identity]) == data


@cache
def _typage() -> Path:
    """A folder with typage in it; skips where there is no Node, or no registry to load it from."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs node and npm")
    if not (_CACHE / "node_modules" / "age-encryption").is_dir():
        _CACHE.mkdir(parents=True, exist_ok=True)
        options = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0"]
        command = ["npm", "install", *options, f"age-encryption@{TYPAGE}"]
        if subprocess.run(command, cwd=_CACHE, check=False, capture_output=True, timeout=100).returncode:
            pytest.skip("no registry to load typage from")
    (_CACHE / "age.mjs").write_text(_SCRIPT)
    return _CACHE


def _node(folder: Path, verb: str, key: str, source: Path, target: Path) -> None:
    command = ["node", str(folder / "age.mjs"), verb, key, str(source), str(target)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
