"""The names of things: ARNs, the addresses of sites and pages, and signed addresses of files that expire."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

# How long a signed address works; Amplify does not document its own.
VALID_FOR = timedelta(hours=1)


class Addresses:
    """Makes and reads the names of one account and Region behind one base address."""

    def __init__(self, *, account: str, region: str, base_url: str) -> None:
        self.account = account
        self.region = region
        self._base_url = base_url.rstrip("/")
        self._secret = secrets.token_bytes(32)

    def app_arn(self, app_id: str) -> str:
        return f"arn:aws:amplify:{self.region}:{self.account}:apps/{app_id}"

    def branch_arn(self, app_id: str, branch_name: str) -> str:
        return f"{self.app_arn(app_id)}/branches/{branch_name}"

    def job_arn(self, app_id: str, branch_name: str, padded_id: str) -> str:
        return f"{self.branch_arn(app_id, branch_name)}/jobs/{padded_id}"

    def resource(self, arn: str) -> tuple[str, str | None] | None:
        """The app id, and the branch if it is one's, that an ARN of this account and Region names."""
        path = arn.removeprefix(self.app_arn(""))
        match = re.fullmatch(r"([^/]+)(?:/branches/(.+))?", path, re.DOTALL) if path != arn else None
        return (match[1], match[2]) if match else None

    def default_domain(self, app_id: str) -> str:
        """`<displayName>.<this>` is a site's own host, which browsers resolve to this machine."""
        port = urlsplit(self._base_url).port
        return f"{app_id}.localhost:{port}" if port else f"{app_id}.localhost"

    def site(self, app_id: str, branch_name: str) -> str:
        return f"{self._base_url}/_local/sites/{app_id}/{quote(branch_name, safe='')}/"

    def signed(self, path: str, *, until: datetime | None = None) -> str:
        """The address of one file, good for that file only and for an hour, unless `until` says how long."""
        expires = int((until or datetime.now(UTC) + VALID_FOR).timestamp())
        return f"{self._base_url}{quote(path)}?expires={expires}&signature={self._signature(path, str(expires))}"

    def refusal(self, path: str, args: Mapping[str, str], now: datetime) -> str | None:
        """Why a signed address does not work, or None if it does; `path` is unquoted."""
        expires, signature = args.get("expires", ""), args.get("signature", "")
        if not hmac.compare_digest(signature.encode(), self._signature(path, expires).encode()):
            return "the signature does not match this address; ask for a new one where it came from"
        if int(expires) < now.timestamp():
            return "this address has expired; ask for a new one where it came from"
        return None

    def _signature(self, path: str, expires: str) -> str:
        return hmac.new(self._secret, f"{path}\n{expires}".encode(), hashlib.sha256).hexdigest()
