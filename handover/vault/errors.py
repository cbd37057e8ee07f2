"""What can be wrong with keys and encrypted blobs. No message holds a secret or a sealed value."""

from handover.errors import HandoverError, Kind


class VaultError(HandoverError):
    """Base of the vault's errors."""

    code = "vault_error"
    kind = Kind.INTERNAL


class VaultSealedError(VaultError):
    """The master key is absent or another one: nothing can be read, and nothing is written."""

    code = "vault_sealed"
    kind = Kind.UNAVAILABLE


class NotInitialisedError(VaultError):
    """There is no key ring: the installation was never initialised, or its data directory is another one."""

    code = "not_initialised"
    kind = Kind.NOT_INITIALISED


class AlreadyInitialisedError(VaultError):
    """Keys exist already; they are never overwritten."""

    code = "already_initialised"
    kind = Kind.CONFLICT


class KeyringDamagedError(VaultError):
    """The key ring or its tombstones were altered or are of an unknown form."""

    code = "keyring_damaged"
    kind = Kind.VERIFICATION


class KeyringUnavailableError(VaultError):
    """The key ring or master key could not be read or written; what was there before still holds."""

    code = "keyring_unavailable"
    kind = Kind.UNAVAILABLE


class KeyMissingError(VaultError):
    """No key has this id, and none ever had."""

    code = "key_missing"


class KeyDestroyedError(VaultError):
    """The key was destroyed: what it sealed can't be read any more, by design."""

    code = "key_destroyed"
    kind = Kind.GONE


class KeyMismatchError(VaultError):
    """The key exists, of another kind or bound to another copy than was asked for."""

    code = "key_mismatch"
    kind = Kind.CONFLICT


class ForeignBlobError(VaultError):
    """The stored blob is not the one that was recorded: swapped, replaced or of another size."""

    code = "blob_foreign"
    kind = Kind.VERIFICATION
