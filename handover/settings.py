"""Settings come from `HANDOVER_*` environment variables alone and are checked before anything starts.

An unknown `HANDOVER_` name, a value of the wrong form or a key file that others may read is an error that
names the variable, what was wrong and what to set. Policies are the periods, limits and thresholds that no law fixes.
"""

import ipaddress
import os
import stat
from collections.abc import Mapping
from email.errors import HeaderParseError
from email.headerregistry import Address
from pathlib import Path
from typing import ClassVar, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from handover.errors import HandoverError, Kind

PREFIX = "HANDOVER_"
POLICY_PREFIX = "HANDOVER_POLICY_"

#: Variables of the test and build scripts: they configure no installation.
_NOT_SETTINGS = frozenset(
    {"HANDOVER_REQUIRE_SERVICES", "HANDOVER_TEST_DATABASE_URL", "HANDOVER_FUZZ_EXAMPLES", "HANDOVER_TOKEN"}
)


class SettingsError(HandoverError):
    """A setting is missing, malformed or unsafe."""

    code = "settings_invalid"
    kind = Kind.NOT_INITIALISED


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the installation decides for itself; a case report prints the values that differ from these."""

    approval_max_age_days: int = 7
    approver_cooling_hours: int = 24
    destruction_cooling_hours: int = 24
    dispute_window_days: int = 5
    download_limit: int = 3
    download_link_hours: int = 72
    invitation_minutes: int = 60
    telephone_code_minutes: int = 10
    step_up_minutes: int = 15
    session_idle_minutes: int = 30
    session_hours: int = 12
    login_attempts: int = 5
    login_window_minutes: int = 15
    password_min_length: int = 12
    recipient_key_days: int = 365
    notice_period_days: int = 30
    nda_years: int = 3
    return_or_destroy_days: int = 10
    k_anonymity: int = 5
    residual_l3_max: int = 0
    review_sample_min: int = 50
    job_attempts: int = 5
    job_lease_seconds: int = 20
    job_backoff_seconds: int = 2
    #: In how many parts a large file is inspected and redacted (as many as there are workers), and from which size on.
    parts: int = 2
    parts_from_mib: int = 64
    upload_max_mib: int = 20_480
    case_quota_mib: int = 102_400
    upload_expiry_hours: int = 24
    reminder_days: int = 3

    def differences(self) -> dict[str, int]:
        """Values that the operator changed, by name."""
        default = Policy()
        return {
            name: value for name in self.__struct_fields__ if (value := getattr(self, name)) != getattr(default, name)
        }


class MailServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where mails are handed in. Only on this machine without TLS."""

    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    user: str
    password: str
    #: The address that mails come from.
    sender: str

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port})"  # the password is a secret


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The checked settings of one installation."""

    data_dir: Path
    master_key_file: Path
    database_url: str
    storage_url: str
    broker_url: str = "embedded:"
    tsa_url: str | None = None
    mail_server: MailServer | None = None
    public_url: str = "http://localhost:8000"
    demo: bool = False
    policy: Policy = Policy()

    NAMES: ClassVar[frozenset[str]] = frozenset(
        {
            "DATA_DIR",
            "MASTER_KEY_FILE",
            "DATABASE_URL",
            "STORAGE_URL",
            "BROKER_URL",
            "TSA_URL",
            "SMTP_URL",
            "PUBLIC_URL",
            "DEMO",
        }
    )

    @property
    def trust_dir(self) -> Path:
        """Public halves that a verifier pins: `ca.pem`, `allowed_signers`, `mldsa65.pem`, `log.vkey`."""
        return self.data_dir / "trust"

    @property
    def spool_dir(self) -> Path:
        """Finished ciphertext on its way to a store that is not here."""
        return self.data_dir / "spool"

    @property
    def keyring_dir(self) -> Path:
        return self.data_dir / "keyring"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Reads and checks all settings.

    Raises:
        SettingsError: names the variable, what is wrong with it and what it takes.
    """
    env = dict(os.environ if environ is None else environ)
    given = {name: value for name, value in env.items() if name.startswith(PREFIX) and name not in _NOT_SETTINGS}
    for name in given:
        if not name.startswith(POLICY_PREFIX) and name.removeprefix(PREFIX) not in Settings.NAMES:
            raise SettingsError(
                f"{name}: there is no such setting; the settings are listed in docs/settings.md", setting=name
            )
    data_dir = Path(given.get("HANDOVER_DATA_DIR", "handover-data")).absolute()
    settings = Settings(
        data_dir=data_dir,
        master_key_file=Path(given.get("HANDOVER_MASTER_KEY_FILE", f"{data_dir}.master.key")).absolute(),
        database_url=_one_of(
            "HANDOVER_DATABASE_URL",
            given.get("HANDOVER_DATABASE_URL", f"sqlite:///{data_dir}/handover.db"),
            ("sqlite:///", "postgresql://", "postgresql+psycopg://"),
        ),
        storage_url=_one_of(
            "HANDOVER_STORAGE_URL",
            given.get("HANDOVER_STORAGE_URL", f"file://{data_dir}/objects"),
            ("file:///", "s3://"),
        ),
        broker_url=_one_of("HANDOVER_BROKER_URL", given.get("HANDOVER_BROKER_URL", "embedded:"), ("embedded:",)),
        tsa_url=_http_url("HANDOVER_TSA_URL", given.get("HANDOVER_TSA_URL")),
        mail_server=_mail_server("HANDOVER_SMTP_URL", given.get("HANDOVER_SMTP_URL")),
        public_url=_http_url("HANDOVER_PUBLIC_URL", given.get("HANDOVER_PUBLIC_URL")) or "http://localhost:8000",
        demo=given.get("HANDOVER_DEMO", "") == "1",
        policy=_policy(given),
    )
    if settings.master_key_file.is_relative_to(settings.data_dir):
        raise SettingsError(
            f"HANDOVER_MASTER_KEY_FILE: {settings.master_key_file} lies inside the data directory, so one stolen copy would hold both; "
            "put it elsewhere",
            setting="HANDOVER_MASTER_KEY_FILE",
        )
    return settings


def refuse_loose_permissions(path: Path) -> None:
    """Key files are readable by their owner only (0600, directories 0700).

    Raises:
        SettingsError: group or others may read it; says the chmod that mends it.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        wanted = "700" if path.is_dir() else "600"
        raise SettingsError(
            f"{path} has mode {mode:04o}: others may read it; run: chmod {wanted} '{path}'", path=str(path)
        )


def _policy(given: Mapping[str, str]) -> Policy:
    values: dict[str, int] = {}
    for name, text in given.items():
        if not name.startswith(POLICY_PREFIX):
            continue
        field = name.removeprefix(POLICY_PREFIX).lower()
        if field not in Policy.__struct_fields__:
            raise SettingsError(
                f"{name}: there is no such policy; the policies are listed in docs/settings.md", setting=name
            )
        if not text.isdecimal():
            raise SettingsError(f"{name}: {text!r} is not a whole number of 0 or more", setting=name)
        values[field] = int(text)
    return Policy(**values)


def _one_of(name: str, value: str, prefixes: tuple[str, ...]) -> str:
    if not value.startswith(prefixes):
        raise SettingsError(
            f"{name}: {value.split('@')[-1]!r} is not supported; it begins with one of: {', '.join(prefixes)}",
            setting=name,
        )
    return value


def _http_url(name: str, value: str | None) -> str | None:
    if value is None:
        return None
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingsError(f"{name}: {value!r} is not an http or https address", setting=name)
    return value.rstrip("/")


def _mail_server(name: str, value: str | None) -> MailServer | None:
    """`smtp://user:password@host:587?from=address` or `smtps://…`; what is wrong is said without the value, which holds a password."""
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        host, port, query = parts.hostname, parts.port, parse_qsl(parts.query, strict_parsing=True)
    except ValueError:
        raise _not_a_mail_server(name, "it cannot be read") from None
    if parts.scheme not in {"smtp", "smtps"} or not host or parts.path.strip("/") or parts.fragment:
        raise _not_a_mail_server(name, "it is not the address of a mail server")
    if [key for key, _ in query] != ["from"] or not _is_plain_address(query[0][1]):
        raise _not_a_mail_server(name, "it must end with ?from= and one e-mail address in ASCII, and nothing more")
    if (parts.username is None) != (parts.password is None):
        raise _not_a_mail_server(name, "it takes user and password, or neither")
    tls = parts.scheme == "smtps"
    return MailServer(
        host=host,
        port=port or (465 if tls else 587),
        security="tls" if tls else "none" if _is_loopback(host) else "starttls",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        sender=query[0][1],
    )


def _not_a_mail_server(name: str, wrong: str) -> SettingsError:
    return SettingsError(
        f"{name}: {wrong}; write smtp://user:password@host:587?from=handover@example.com or smtps://…, "
        "with % escapes for special characters in user and password",
        setting=name,
    )


def _is_plain_address(text: str) -> bool:
    try:
        return text.isascii() and Address(addr_spec=text).addr_spec == text and "@" in text
    except (ValueError, IndexError, HeaderParseError):
        return False


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
