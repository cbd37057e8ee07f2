"""The description of the API (OpenAPI 3.1), complete and in one file; nothing of it is loaded from elsewhere."""

from typing import Any

import msgspec
from litestar import Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from handover import __version__

_UNSAFE = frozenset({"post", "put", "patch", "delete"})


class _Published(JsonRenderPlugin):
    """The description as JSON, made when it is first asked for."""

    _body: bytes | None = None

    def render(self, request: Any, openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002  (the framework's)
        if self._body is None:
            _add_headers(openapi_schema)
            self._body = msgspec.json.encode(openapi_schema)
        return self._body


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
        render_plugins=[_Published()],
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


def _add_headers(schema: dict[str, Any]) -> None:
    """Names the headers that the edge reads, where a version is named and where an answer can be had again."""
    for item in schema["paths"].values():
        for method, operation in item.items():
            answers = operation.get("responses", {})
            if "428" in answers:
                _add_header(operation, "If-Match", 'The version that was read, for example "3"')
            if method in _UNSAFE and "422" in answers:
                _add_header(operation, "Idempotency-Key", "One effect and one answer for all requests with this key")


def _add_header(operation: dict[str, Any], name: str, meaning: str) -> None:
    header = {"name": name, "in": "header", "description": meaning, "required": False, "schema": {"type": "string"}}
    operation["parameters"] = [*operation.get("parameters", []), header]
