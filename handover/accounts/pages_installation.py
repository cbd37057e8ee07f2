"""The installation itself: what it is, its agreement texts, its policies and how it goes. Settings are changed elsewhere."""

import uuid
from typing import Any

from litestar import Request, Response

from handover import jobs
from handover.accounts import installation, queries
from handover.accounts.pages_admin import Nothing, admin_frame
from handover.context import Context
from handover.errors import NotFoundError
from handover.i18n.catalogue import catalogue
from handover.web.edge import reading
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.routes import get_page, post_form

Req = Request[Any, Any, Any]


@get_page("/admin/organisation")
def organisation_page(request: Req) -> Response[Any]:
    """What this installation is, and the public files to give to verifiers."""

    def gather(ctx: Context) -> dict[str, Any]:
        queries.require_role(ctx, "platform_admin")
        return {**admin_frame(ctx, "organisation"), "facts": installation.facts(ctx)}

    return page(request, "accounts/organisation.html", gather)


@get_page("/admin/trust/{name:str}")
def trust_file(request: Req, name: str) -> Response[bytes]:
    """One public file, as a download."""
    with reading(request) as ctx:
        queries.require_role(ctx, "platform_admin", "auditor")
        data = installation.trust_file(ctx, name)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type="application/octet-stream", headers=headers)


@get_page("/admin/templates")
def texts_page(request: Req) -> Response[Any]:
    """The agreement texts of this version."""

    def gather(ctx: Context) -> dict[str, Any]:
        queries.require_role(ctx, "platform_admin")
        return {**admin_frame(ctx, "templates"), "texts": installation.agreement_texts()}

    return page(request, "accounts/texts.html", gather)


@get_page("/admin/templates/{kind:str}")
def text_page(request: Req, kind: str) -> Response[Any]:
    """One text, clause by clause in both languages."""

    def gather(ctx: Context) -> dict[str, Any]:
        queries.require_role(ctx, "platform_admin")
        found = installation.agreement_texts().get(kind)
        if found is None:
            raise NotFoundError("there is no such text")
        return {**admin_frame(ctx, "templates"), "one": found}

    return page(request, "accounts/text.html", gather)


@get_page("/admin/policy")
def policy_page(request: Req) -> Response[Any]:
    """Every policy with its default and the variable that sets it."""

    def gather(ctx: Context) -> dict[str, Any]:
        queries.require_role(ctx, "platform_admin")
        return {**admin_frame(ctx, "policy"), "policies": installation.policies(ctx)}

    return page(request, "accounts/policy.html", gather)


@get_page("/admin/health")
def health_page(request: Req) -> Response[Any]:
    """Jobs, storage, log and keys; auditors may look."""
    return _health(request, FilledForm())


@post_form("/admin/health/jobs/{job_id:uuid}/cancel")
def cancel_job(request: Req, job_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Asks a job to stop."""

    def work(ctx: Context, _form: Nothing) -> Done:
        queries.require_role(ctx, "platform_admin")
        jobs.cancel(ctx, job_id)
        return Done("/admin/health", catalogue(ctx.language).gettext("The job is asked to stop."))

    return submit(request, data, Nothing, work, lambda form: _health(request, form))


def _health(request: Req, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        queries.require_role(ctx, "platform_admin", "auditor")
        operates = "platform_admin" in ctx.actor.roles
        return {**admin_frame(ctx, "health"), "health": installation.health(ctx), "operates": operates}

    return page(request, "accounts/health.html", gather, form=form)


ROUTES = [organisation_page, trust_file, texts_page, text_page, policy_page, health_page, cancel_job]
