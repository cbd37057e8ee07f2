"""The assembly: from settings to an installation with its services, and to the application that serves it."""

from collections.abc import Sequence
from typing import Any

from handover import migrations, rooms
from handover.accounts import credentials, passkeys, sessions
from handover.accounts.passwords import Passwords
from handover.accounts.service import require_recent_second_factor
from handover.audit import AuditLog
from handover.cases.frame import reader
from handover.cases.queries import is_overridden, roles_of
from handover.context import Installation
from handover.db import Database
from handover.resources import data_folder
from handover.settings import Settings
from handover.storage import Storage
from handover.vault import Vault
from handover.vault.signers import Signers
from handover.workflow import Registry, Workflow
from handover.workflow.loader import Machines


def open_installation(settings: Settings, *, passwords: Passwords | None = None) -> Installation:
    """Opens an installation that `handover init` made.

    Raises:
        NotInitialisedError: there is none.
        SettingsError: a key file is readable by others.
        SchemaError: the database has an older or a newer schema.
        WorkflowDefinitionError: a workflow file names something that no room has.
    """
    vault = Vault.open(settings)
    signers = Signers.load(vault.keyring)
    rooms.load_tables()
    database = Database(settings.database_url)
    migrations.require_current(database)
    return Installation(
        database,
        {
            Settings: settings,
            Vault: vault,
            Signers: signers,
            Storage: vault.storage,
            AuditLog: AuditLog(signers.origin, signers.log_ed25519, signers.log_mldsa),
            Workflow: _workflow(),
            Passwords: passwords or Passwords(),
        },
    )


def make_asgi(installation: Installation, more: Sequence[Any] = ()) -> Any:
    """The application over an open installation; `more` are routes that a door adds."""
    from handover.web.app_factory import serving

    return serving(make_application(more), installation)


def make_application(more: Sequence[Any] = ()) -> Any:
    """The application without an installation: all routes, which take a while to register."""
    from handover.web.app_factory import make_app
    from handover.web.edge import Authentication

    authentication = Authentication(
        sessions.authenticate,
        sessions.touch,
        sessions.touch_is_due,
        sessions.csrf_token,
        reader,
        credentials.step_up_with_field,
        passkeys.step_up_options,
    )
    return make_app([*rooms.routes(), *more], authentication)


def _workflow() -> Workflow:
    registry = Registry(
        machines=rooms.machines(),
        gates=rooms.gates(),
        jobs=frozenset(rooms.jobs()),
        documents=rooms.documents(),
        roles=roles_of,
        overridden=is_overridden,
        require_second_factor=require_recent_second_factor,
    )
    return Workflow(Machines(data_folder("workflows"), registry), registry)
