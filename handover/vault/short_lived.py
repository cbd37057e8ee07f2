"""Unwrapped secrets kept for a moment, so that a page of sealed columns does not unwrap one key a hundred times.

All of them are dropped ten seconds after the first was kept, whether or not anyone asks, and at once when the ring
changes. Python can't promise that freed memory is overwritten; core dumps are off for that reason.
"""

import threading

#: Long enough for one request or job step, short enough to say "not kept".
LIFE_SECONDS = 10.0


class ShortLived:
    """Secrets by key id, valid for one state of the ring."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: dict[str, bytes] = {}
        self._mark: object = None
        self._timer: threading.Timer | None = None

    def get(self, mark: object, key_id: str) -> bytes | None:
        """The secret kept under this very state of the ring."""
        with self._lock:
            if mark != self._mark:
                self._secrets.clear()
                self._mark = mark
            return self._secrets.get(key_id)

    def keep(self, mark: object, key_id: str, secret: bytes) -> None:
        """Keeps a secret unless the ring has moved on."""
        with self._lock:
            if mark != self._mark:
                return
            self._secrets[key_id] = secret
            if self._timer is None:
                self._timer = threading.Timer(LIFE_SECONDS, self.clear)
                self._timer.daemon = True
                self._timer.start()

    def clear(self) -> None:
        """Drops everything."""
        with self._lock:
            self._secrets.clear()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def __len__(self) -> int:
        return len(self._secrets)
