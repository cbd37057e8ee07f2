"""An empty place in a bucket, and a way to it on which things go wrong."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.storage.faults import Way, way_to

if TYPE_CHECKING:  # its client is not everywhere
    from tests.bucket import Server


@pytest.fixture
def url(s3: "Server") -> str:
    return s3.url()


@pytest.fixture
def way(s3: "Server") -> Iterator[Way]:
    with way_to(s3.endpoint) as made:
        yield made
