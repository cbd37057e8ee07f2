"""Paths inside a package: clean on every system, unique after NFC and case folding, never leaving their folder.

`clean_path` is a projection: cleaning a clean path changes nothing. A builder cleans, a reader refuses what is not clean.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from handover.archive.errors import UnsafePathError

#: The content's folder inside a package.
ROOT = "files/"
#: Room for a number behind the name, within the 255 bytes that file systems allow.
MAX_COMPONENT_BYTES = 200
#: Windows, ZIP tools and tar all cope with this; deeper trees are refused rather than cut.
MAX_PATH_BYTES = 1024

# Control characters; what Windows refuses; marks that reorder or hide text (a name must look like what it is).
_UNWANTED = re.compile(
    "[\x00-\x1f\x7f-\x9f"
    '<>:"|?*\\\\'
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e007f]"
)
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
#: Most names; they are clean as they are, unless they begin like a device.
_PLAIN = re.compile(r"[0-9A-Za-z_](?:[0-9A-Za-z_. -]{0,150}[0-9A-Za-z_-])?")
_DEVICES = frozenset({"CON", "PRN", "AUX", "NUL", "COM", "LPT"})
#: Names with `/` between them that are all as `_clean_part` leaves them at once.
_PLAIN_NAME = rf"(?!(?i:{'|'.join(sorted(_DEVICES))})){_PLAIN.pattern}"
_ALL_PLAIN = re.compile(rf"{_PLAIN_NAME}(?:/{_PLAIN_NAME})*")
_LONGEST_PLAIN = 152
#: Paths below the root, of such names, with a zero between them.
_PLAIN_PATHS = re.compile(rf"{ROOT}{_ALL_PLAIN.pattern}(?:\0{ROOT}{_ALL_PLAIN.pattern})*")
_RESERVED = re.compile(r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|COM[0-9¹²³]|LPT[0-9¹²³])[ ]*(?:\..*)?", re.IGNORECASE)


def clean_path(original: str) -> str:
    """A relative path with `/` whose parts are harmless names on Windows, macOS and Linux.

    Raises:
        UnsafePathError: absolute, with `..`, empty, or too long or deep.
    """
    if original.startswith(("/", "\\")) or _DRIVE.match(original):
        raise UnsafePathError(f"{original!r}: absolute paths are not packed", path=original)
    folder, _, name = original.rpartition("/")
    if name in ("", ".", "..") or not folder:
        return _clean_whole(original)
    path = f"{_clean_whole(folder)}/{_clean_part(name)}"
    if len(path.encode()) > MAX_PATH_BYTES:
        raise UnsafePathError(f"{original!r}: longer than {MAX_PATH_BYTES} bytes", path=original)
    return path


def clean_name(folder: str, name: str) -> str:
    """What `clean_path` makes of the last part, in a folder that is clean; `name` holds no `/` and is neither `.` nor `..`.

    Raises:
        UnsafePathError: the path is too long.
    """
    part = _clean_part(name)
    # Most paths are so short that they need not be encoded to know it.
    if 4 * (len(folder) + 1 + len(part)) > MAX_PATH_BYTES < len(f"{folder}/{part}".encode()):
        raise UnsafePathError(f"{folder}/{name!r}: longer than {MAX_PATH_BYTES} bytes", path=f"{folder}/{name}")
    return part


def clean_names(folder: str, side: Sequence[str]) -> Sequence[str]:
    """As `clean_name` for each of some names of one folder."""
    short = len(folder.encode()) + 1 + _LONGEST_PLAIN <= MAX_PATH_BYTES
    if short and _ALL_PLAIN.fullmatch("/".join(side)):
        return side
    return [clean_name(folder, name) for name in side]


@lru_cache(1024)
def _clean_whole(original: str) -> str:
    parts = [part for part in original.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        raise UnsafePathError(f"{original!r}: an empty path, or one with '..', is not packed", path=original)
    path = "/".join(map(_clean_part, parts))
    if len(path.encode()) > MAX_PATH_BYTES:
        raise UnsafePathError(f"{original!r}: longer than {MAX_PATH_BYTES} bytes", path=original)
    return path


def check_path(path: str) -> None:
    """Refuses a path that is not below `files/` or not clean.

    Raises:
        UnsafePathError: names the path.
    """
    if not path.startswith(ROOT) or clean_path(path) != path:
        raise UnsafePathError(f"{path!r}: not a clean path below {ROOT}", path=path)


def check_paths(paths: Sequence[str]) -> None:
    """As `check_path` for each of some."""
    if max(map(len, paths), default=0) > MAX_PATH_BYTES or not _PLAIN_PATHS.fullmatch("\0".join(paths)):
        for path in paths:
            check_path(path)


class UniquePaths:
    """The paths of one package; two may not meet on a file system that folds case or normalises."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()
        #: Folder as it was asked for → folder used and its key; what comes later never takes it away.
        self._used: dict[str, tuple[str, str]] = {"": ("", "")}

    def add(self, path: str) -> None:
        """Takes a clean path.

        Raises:
            UnsafePathError: it, or a folder of it, meets one that is there.
        """
        key = fold(path)
        folder = key.rpartition("/")[0]
        # Above a folder that is there, no file is.
        folders = [] if folder in self._folders else _folders_of(key)
        if key in self._files or key in self._folders or any(folder in self._files for folder in folders):
            raise UnsafePathError(f"{path!r}: another path differs from it only in case or form", path=path)
        self._files.add(key)
        self._folders.update(folders)

    def add_all(self, paths: Sequence[str]) -> None:
        """As `add` for each of some, in order."""
        keys = set(map(fold, paths))
        parents = {key.rpartition("/")[0] for key in keys} - self._folders
        folders = parents.union(*map(_folders_of, parents))
        alone = keys.isdisjoint(self._files) and keys.isdisjoint(self._folders) and keys.isdisjoint(folders)
        if len(keys) < len(paths) or not alone or not folders.isdisjoint(self._files):
            for path in paths:
                self.add(path)
        self._files |= keys
        self._folders |= folders

    def add_numbered(self, path: str) -> str:
        """As `add`, but gives a part that is taken a number (`name (2).csv`); returns the path used."""
        folder, _, name = path.rpartition("/")
        return self.add_name(folder, name)

    def add_name(self, folder: str, name: str) -> str:
        """As `add_numbered`, the last part by itself."""
        parent, parent_key = self._used.get(folder) or self._use(folder)
        key = parent_key + fold(name)
        if key in self._files or key in self._folders:
            name = self._free(parent, name, (self._files, self._folders))
            key = parent_key + fold(name)
        self._files.add(key)
        return parent + name

    def add_names(self, folder: str, side: Sequence[str]) -> list[str]:
        """As `add_name` for each of some names, in order."""
        parent, parent_key = self._used.get(folder) or self._use(folder)
        keys = set(map(parent_key.__add__, map(fold, side)))
        if len(keys) < len(side) or not keys.isdisjoint(self._files) or not keys.isdisjoint(self._folders):
            return [self.add_name(folder, name) for name in side]
        self._files |= keys
        return [parent + name for name in side]

    def _use(self, folder: str) -> tuple[str, str]:
        used = ""
        for part in folder.split("/"):
            used += self._free(used, part, (self._files,))
            self._folders.add(fold(used))
            used += "/"
        self._used[folder] = used, fold(used)
        return self._used[folder]

    @staticmethod
    def _free(parent: str, part: str, taken: tuple[set[str], ...]) -> str:
        stem, dot, suffix = part.rpartition(".")
        if not stem:
            stem, dot, suffix = part, "", ""
        candidate, number = part, 1
        while any(fold(parent + candidate) in paths for paths in taken):
            number += 1
            candidate = f"{stem} ({number}){dot}{suffix}"
        return candidate


def fold(path: str) -> str:
    """The key under which two paths are the same."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _folders_of(key: str) -> list[str]:
    parts = key.split("/")
    return ["/".join(parts[:i]) for i in range(1, len(parts))]


def _clean_part(part: str) -> str:
    if _PLAIN.fullmatch(part) and part[:3].upper() not in _DEVICES:
        return part
    cleaned = unicodedata.normalize("NFC", _UNWANTED.sub("_", part)).strip(" ")
    if _RESERVED.fullmatch(cleaned):
        cleaned = f"_{cleaned}"
    cleaned = _shortened(cleaned)
    if not cleaned or cleaned[-1] in ". ":  # Windows drops both silently
        cleaned = cleaned.rstrip(". ") + "_"
    return cleaned


def _shortened(part: str) -> str:
    if len(part.encode()) <= MAX_COMPONENT_BYTES:
        return part
    stem, dot, suffix = part.rpartition(".")
    tail = dot + suffix if stem and len(suffix.encode()) <= 16 else ""
    head = part.removesuffix(tail).encode()[: MAX_COMPONENT_BYTES - len(tail.encode()) - 1].decode(errors="ignore")
    return unicodedata.normalize("NFC", head.rstrip(". ") + tail)
