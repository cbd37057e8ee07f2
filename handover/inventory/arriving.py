"""The bytes of one request on their way into an upload: sealed as they come, so that memory holds two MiB of them at most.

While one batch is sealed in its thread the next arrives. A full segment is made durable and listed. When the connection
breaks, what came before it is kept; when something is refused, the segment that was open leaves nothing behind.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import ExitStack

from anyio import to_thread

from handover.context import Context, Installation
from handover.inventory.queries import visible_upload
from handover.inventory.uploads import SEGMENT_BYTES, check_piece, list_segment, upload_key
from handover.vault import Vault
from handover.vault.blobs import BlobSink

#: Handed to the thread that seals at once.
_BATCH = 1 << 20


class Arriving:
    """An upload's next bytes; both methods block, and are called one after the other."""

    def __init__(self, installation: Installation, ctx: Context, upload_id: uuid.UUID, offset: int) -> None:
        self._installation, self._vault = installation, installation.get(Vault)
        self._actor, self._request_id = ctx.actor, ctx.request_id
        self._upload_id, self._listed, self._sealed, self._size = upload_id, offset, 0, 0
        self._open, self._sink = ExitStack(), None

    _sink: BlobSink | None

    def put(self, data: bytearray) -> None:
        """Seals one batch, in a segment that is opened for it where none is.

        Raises:
            UploadOffsetError: another request was here first. UploadTooLargeError: more than was announced.
        """
        if self._sink is None or self._listed + self._sealed + len(data) > self._size:
            with self._installation.unit_of_work(self._actor, write=False) as ctx:
                row = visible_upload(ctx, self._upload_id)
                check_piece(row, self._listed, self._sealed + len(data))
                self._size = row.size
        if self._sink is None:
            self._sink = self._open.enter_context(self._vault.writer(upload_key(self._upload_id)))
        self._sink.write(data)
        self._sealed += len(data)
        if self._sealed >= SEGMENT_BYTES:
            self.end()

    def end(self) -> int:
        """Lists the segment that is open; returns the upload's offset."""
        if self._sink is not None:
            self._open.close()
            with self._installation.unit_of_work(self._actor, request_id=self._request_id) as ctx:
                list_segment(ctx, self._upload_id, self._listed, self._sink.blob)
            self._listed, self._sealed, self._sink = self._listed + self._sealed, 0, None
        return self._listed

    def abandon(self, error: BaseException) -> None:
        """Leaves nothing of the segment that is open."""
        self._open.__exit__(type(error), error, error.__traceback__)


async def receive(arriving: Arriving, chunks: AsyncIterator[bytes]) -> int:
    """Takes everything that comes; returns the upload's offset."""
    held, sealing = bytearray(), None
    try:
        async for chunk in chunks:
            held += chunk
            if len(held) >= _BATCH:
                if sealing is not None:
                    await sealing
                sealing = asyncio.ensure_future(to_thread.run_sync(arriving.put, held))
                held = bytearray()
        if sealing is not None:
            await sealing
        if held:
            await to_thread.run_sync(arriving.put, held)
        return await to_thread.run_sync(arriving.end)
    except BaseException as error:
        if sealing is not None:
            await asyncio.wait([sealing])  # a thread that seals is not stopped half-way
        arriving.abandon(error)
        raise
