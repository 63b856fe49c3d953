"""Clients of AWS, and what is said when there is no way to it. Nothing else in trailguard imports boto3."""

from __future__ import annotations

import os
import threading
from typing import Any, NamedTuple

from trailguard.errors import UserError

CONNECTIONS = 16  # calls under way at once, over all accounts
_INSTALL = 'trailguard snapshot needs boto3, which is not installed: pip install "trailguard[aws]"'
_TRIES = 10  # of a call that is throttled or fails on the way, where the user's AWS configuration has no number
_FIRST_TRIES = 4  # of one that tells whether AWS can be reached at all: who waits for that waits seconds, not minutes
_NAME = "trailguard-snapshot"
_MOST = 300  # characters of an error, which may be a page
_WAIT = 10  # seconds until a connection stands


class Way(NamedTuple):
    """How AWS is reached: a profile of the user's AWS configuration, a role to assume, an endpoint; "" for none."""

    profile: str = ""
    role_arn: str = ""
    endpoint_url: str = ""


class Clients:
    """The clients with which one account is asked; several threads may use them."""

    def __init__(self, session: Any, endpoint_url: str) -> None:
        self._session = session
        self._endpoint_url = endpoint_url
        self._lock = threading.Lock()  # making a client is not safe in threads, using it is
        self._made: dict[tuple[str, str], Any] = {}

    @property
    def region(self) -> str:
        """The Region of the user's AWS configuration; "" when it names none."""
        return str(self._session.get_config_variable("region") or os.environ.get("AWS_REGION") or "")

    def get(self, service: str, region: str) -> Any:
        """A client for a service in a Region."""
        with self._lock:
            if (service, region) not in self._made:
                self._made[service, region] = self._make(service, region)
            return self._made[service, region]

    def _make(self, service: str, region: str) -> Any:
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        is_set = self._session.get_config_variable("max_attempts") is not None
        retries = None if is_set else {"total_max_attempts": _FIRST_TRIES if service == "sts" else _TRIES}
        config = Config(
            retries=retries, max_pool_connections=CONNECTIONS, connect_timeout=_WAIT, user_agent_extra=_NAME
        )
        endpoint = self._endpoint_url or None
        try:
            return self._session.create_client(service, region_name=region, endpoint_url=endpoint, config=config)
        except (BotoCoreError, ValueError) as error:  # a malformed endpoint is a ValueError
            raise UserError("", 0, 0, f"AWS: {line(error)}") from None

    def assuming(self, role_arn: str, region: str) -> Clients:
        """The clients of whoever has assumed a role, with credentials that are renewed before they expire.

        Raises what the call raises.
        """
        from botocore.credentials import CredentialProvider, CredentialResolver, RefreshableCredentials
        from botocore.session import Session

        sts = self.get("sts", region)

        def renew() -> dict[str, str]:
            given = sts.assume_role(RoleArn=role_arn, RoleSessionName=_NAME)["Credentials"]
            return {
                "access_key": given["AccessKeyId"],
                "secret_key": given["SecretAccessKey"],
                "token": given["SessionToken"],
                "expiry_time": given["Expiration"].isoformat(),
            }

        credentials = RefreshableCredentials.create_from_metadata(renew(), renew, _NAME)

        class Assumed(CredentialProvider):  # type: ignore[misc]
            METHOD = CANONICAL_NAME = _NAME

            def load(self) -> Any:
                return credentials

        session = Session(profile=self._session.profile)
        session.register_component("credential_provider", CredentialResolver([Assumed()]))
        session.register_component("data_loader", self._session.get_component("data_loader"))  # services are read once
        return Clients(session, self._endpoint_url)


def clients(way: Way) -> Clients:
    """The clients of whoever runs this; raises UserError without boto3 or with a profile that is not there."""
    try:
        import boto3
    except ImportError:
        raise UserError("", 0, 0, _INSTALL) from None
    from botocore.exceptions import BotoCoreError

    try:
        made = boto3.Session(profile_name=way.profile or None)._session
    except BotoCoreError as error:
        raise UserError("", 0, 0, f"AWS: {line(error)}") from None
    return Clients(made, way.endpoint_url)


def no_way(error: Exception) -> str | None:
    """What is said of an error that stops everything, because AWS knows nobody with these credentials; else None."""
    from botocore import exceptions

    lacking = (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.TokenRetrievalError,
        exceptions.SSOError,
        exceptions.ProfileNotFound,
        exceptions.ConfigParseError,
        exceptions.InvalidConfigError,
        exceptions.NoRegionError,
        exceptions.InvalidRegionError,
    )
    if isinstance(error, exceptions.NoCredentialsError):
        return "there are no AWS credentials: set AWS_PROFILE or --aws-profile, or sign in (aws sso login)"
    if isinstance(error, lacking):
        return f"AWS: {line(error)}"
    code = code_of(error)
    if code in _EXPIRED:
        return f"the AWS credentials have expired ({code}): sign in again"
    return None


_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")


def code_of(error: Exception) -> str:
    """The code of an answer that is an error; "" for what is no answer."""
    return str(_response(error).get("Error", {}).get("Code", ""))


def message_of(error: Exception) -> str:
    """What an answer that is an error says, in one line."""
    return " ".join(str(_response(error).get("Error", {}).get("Message", "")).split())


def status_of(error: Exception) -> int:
    """The HTTP status of an answer that is an error; 0 for what is no answer."""
    return int(_response(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def headers_of(error: Exception) -> dict[str, str]:
    """The headers of an answer that is an error."""
    found: dict[str, str] = _response(error).get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return found


def _response(error: Exception) -> dict[str, Any]:
    found: dict[str, Any] = getattr(error, "response", None) or {}
    return found


def line(error: Exception) -> str:
    """An error in one line, and not a long one."""
    said = " ".join(str(error).split())
    return said if len(said) <= _MOST else f"{said[:_MOST]}…"
