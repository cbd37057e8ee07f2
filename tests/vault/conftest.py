import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from handover.settings import Settings
from handover.vault import CopyBinding, Keyring, Vault


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    return Settings(
        data_dir=data,
        master_key_file=tmp_path / "master.key",
        database_url=f"sqlite:///{data}/handover.db",
        storage_url=f"file://{data}/objects",
    )


@pytest.fixture
def vault(settings: Settings) -> Vault:
    Keyring.create(settings.keyring_dir, settings.master_key_file)
    return Vault.open(settings)


@pytest.fixture
def make_copy(vault: Vault) -> Callable[[str], CopyBinding]:
    def make(key_id: str) -> CopyBinding:
        bound = CopyBinding(case=uuid.uuid4(), copy=uuid.uuid4(), role="source", level="L3")
        vault.create_copy(key_id, bound)
        return bound

    return make
