"""The description of the API (OpenAPI 3.1), complete and in one file; nothing of it is loaded from elsewhere."""

from typing import Any

from litestar import Litestar, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, Operation, Parameter, Schema, SecurityScheme
from litestar.openapi.spec.enums import OpenAPIType

from handover import __version__

_METHODS = ("get", "post", "put", "patch", "delete")


class _SchemaRouter(Router):
    """Without the framework's own HTML page for unknown paths: they are answered as everywhere else."""

    def register(self, value: Any) -> list[Any]:
        if "/{path:str}" in getattr(value, "paths", ()):
            return []
        return list(super().register(value))


def description() -> OpenAPIConfig:
    """What the framework needs to know to describe the routes."""
    return OpenAPIConfig(
        title="handover",
        version=__version__,
        path="/schema",
        render_plugins=[JsonRenderPlugin()],
        openapi_router=_SchemaRouter("/schema", route_handlers=[], include_in_schema=False),
        components=Components(
            security_schemes={
                "session": SecurityScheme(type="http", scheme="bearer", description="A session token or an API token"),
                "cookie": SecurityScheme(
                    type="apiKey",
                    security_scheme_in="cookie",
                    name="__Host-handover",
                    description="A session's cookie; unsafe methods also send its token in X-CSRF-Token",
                ),
            }
        ),
        security=[{"session": []}, {"cookie": []}],
    )


def publish(app: Litestar) -> None:
    """Adds the headers that the edge reads: `If-Match` where a version is named, `Idempotency-Key` where things are made."""
    for item in (app.openapi_schema.paths or {}).values():
        for method in _METHODS:
            operation: Operation | None = getattr(item, method)
            if operation is None:
                continue
            answers = operation.responses or {}
            if "428" in answers:
                _add_header(operation, "If-Match", 'The version that was read, for example "3"')
            if method == "post" and "201" in answers and operation.request_body is not None:
                _add_header(operation, "Idempotency-Key", "One effect and one answer for all requests with this key")


def _add_header(operation: Operation, name: str, meaning: str) -> None:
    header = Parameter(
        name=name, param_in="header", description=meaning, required=False, schema=Schema(type=OpenAPIType.STRING)
    )
    operation.parameters = [*(operation.parameters or []), header]
