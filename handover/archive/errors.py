"""What can be wrong with a package beyond its encryption, each with its own stable code."""

from handover.errors import HandoverError, Kind


class ArchiveError(HandoverError):
    """Base of all errors of `handover.archive`."""

    code = "package_invalid"
    kind = Kind.VERIFICATION


class ZipFormatError(ArchiveError):
    """The ZIP inside is not in the one form that this format has."""

    code = "package_zip_malformed"


class UnsafePathError(ArchiveError):
    """A path is absolute, climbs, or is not the clean form of itself."""

    code = "package_path_unsafe"


class ManifestError(ArchiveError):
    """MANIFEST.json or FILES.jsonl is malformed, or one does not belong to the other."""

    code = "package_manifest_invalid"


class NotSignedError(ArchiveError):
    """The manifest is not signed by a key that is expected."""

    code = "package_not_signed_by_expected_key"


class WrongRecipientError(ArchiveError):
    """The package was made for another recipient and encrypted again by somebody."""

    code = "package_for_another_recipient"


class FileAlteredError(ArchiveError):
    """A file inside differs from what the manifest says; `path` in the details names it."""

    code = "package_file_altered"

    def __init__(self, path: str, what: str) -> None:
        super().__init__(f"{path}: {what}", path=path)


class UnknownPathError(ArchiveError):
    """A path was asked for that the package does not list."""

    code = "package_path_unknown"
    kind = Kind.NOT_FOUND


class TargetExistsError(ArchiveError):
    """The place to write to is taken."""

    code = "target_exists"
    kind = Kind.CONFLICT


class SourceChangedError(ArchiveError):
    """A source file changed, or is of a kind that a package can't hold."""

    code = "package_source_unusable"
    kind = Kind.INVALID


class ReceiptError(ArchiveError):
    """A receipt is malformed, or is not for this package."""

    code = "receipt_invalid"


class HelperEndedError(ArchiveError):
    """A process of our own, which worked beside this one, is gone."""

    code = "helper_process_ended"
    kind = Kind.INTERNAL
