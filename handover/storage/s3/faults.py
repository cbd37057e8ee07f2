"""What a store's refusals and a network's faults mean here, and what to do about each. No message holds a secret."""

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSLError,
)
from urllib3.exceptions import HTTPError

from handover.errors import HandoverError
from handover.storage.base import BlobMissingError, StorageFullError, StorageUnavailableError

_DENIED = {
    "AccessDenied",
    "AccountProblem",
    "AllAccessDisabled",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "403",
}
_ELSEWHERE = {
    "301",
    "307",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "PermanentRedirect",
    "TemporaryRedirect",
}
_SKEWED = {"RequestTimeTooSkewed", "RequestExpired"}
_FULL = {
    "507",
    "InsufficientStorage",
    "QuotaExceeded",
    "StorageFull",
    "XMinioStorageFull",
    "XMinioAdminBucketQuotaExceeded",
}
_CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or another of the standard places (docs/settings.md)"


@contextlib.contextmanager
def told(bucket: str, name: str = "") -> Iterator[None]:
    """Turns faults of the block into errors of this house; those of the store carry its code as `reason`."""
    try:
        yield
    except ClientError as error:
        raise _refusal(error.response, bucket, name) from error
    except (BotoCoreError, HTTPError, OSError) as error:
        raise _fault(error, bucket) from error


def reason(error: HandoverError) -> str:
    """The store's code for why it refused."""
    return str(error.details.get("reason", ""))


def _refusal(answer: Mapping[str, Any], bucket: str, name: str) -> HandoverError:
    code = str(answer.get("Error", {}).get("Code", ""))
    metadata = answer.get("ResponseMetadata", {})
    headers = metadata.get("HTTPHeaders", {})
    if code == "NoSuchKey":
        return BlobMissingError(f"blob {name} is not in the store")
    if code in _FULL:
        return StorageFullError("the store is full; free some space or raise its quota, and repeat", reason=code)
    return StorageUnavailableError(_explained(code, metadata.get("HTTPStatusCode"), headers, bucket), reason=code)


def _explained(code: str, status: object, headers: Mapping[str, str], bucket: str) -> str:
    if code == "NoSuchBucket":
        return f"the bucket {bucket} does not exist; make it, or correct HANDOVER_STORAGE_URL"
    if code in _SKEWED:
        return f"the store refuses this machine's clock, which is {_skew(headers)} off; set it (NTP)"
    if code in _ELSEWHERE:
        region = headers.get("x-amz-bucket-region")
        return f"the bucket {bucket} is in another region{f': set ?region={region}' if region else ''}; see HANDOVER_STORAGE_URL"
    if code in _DENIED:
        return f"the store refuses the credentials for the bucket {bucket} ({code}); what they must allow is in docs/settings.md"
    return f"the store answered {code or 'nothing known'} ({status}) about the bucket {bucket}; look at its own log, work goes on when it answers"


def _skew(headers: Mapping[str, str]) -> str:
    try:
        seconds = (dt.datetime.now(dt.UTC) - parsedate_to_datetime(headers["date"])).total_seconds()
    except (KeyError, ValueError):
        return "more than it allows"
    return f"{seconds:+.0f} s"


def _fault(error: Exception, bucket: str) -> HandoverError:
    kind = type(error).__name__
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError | ProfileNotFound):
        return StorageUnavailableError(f"there are no credentials for the bucket {bucket}; {_CREDENTIALS}", reason=kind)
    if isinstance(error, SSLError):
        return StorageUnavailableError(
            "the store's certificate is not trusted; name your authority's in AWS_CA_BUNDLE", reason=kind
        )
    return StorageUnavailableError(
        f"the store of the bucket {bucket} is not reachable ({kind}); look at it and at the way there, work goes on when it answers",
        reason=kind,
    )
