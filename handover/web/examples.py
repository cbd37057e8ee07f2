"""The error answers of the API description: every one is problem details."""

from litestar.openapi.datastructures import ResponseSpec

from handover.web.errors import Problem

_MEANINGS = {
    400: "The request is not of the documented form",
    401: "No valid session or token",
    403: "The role does not allow it, or a second factor is needed",
    404: "Missing, or not the caller's to see",
    409: "The state does not allow it, gates block it, or somebody was faster",
    410: "Used or expired",
    412: "It changed meanwhile",
    413: "Too large",
    415: "Unsupported media type",
    416: "Range not satisfiable",
    422: "It does not verify",
    428: "If-Match is missing",
    429: "Too many attempts",
    503: "Not available now; repeat",
    507: "Storage full",
}


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """Response specifications for these statuses."""
    return {
        status: ResponseSpec(
            Problem, description=_MEANINGS[status], generate_examples=False, media_type="application/problem+json"
        )
        for status in statuses
    }
