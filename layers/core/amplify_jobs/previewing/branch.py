"""What a preview's branch in Amplify is made of, and whether it still is what its route says."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from amplify_jobs.errors import RequestRejected
from amplify_jobs.routing.previews import Preview


@dataclass(frozen=True)
class BranchSettings:
    """The members of Amplify's CreateBranch that a route decides; None leaves what Amplify has.

    `credentials` are user:password in Base64, as Amplify takes them; None for a site that asks for none.
    """

    stage: str
    environment_variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    credentials: str | None = field(default=None, repr=False)
    framework: str | None = None
    build_spec: str | None = None


@dataclass(frozen=True)
class AppBranch:
    """A branch as Amplify tells of it; `is_preview` is true of one that amplify-jobs has made for a pull request."""

    is_preview: bool
    settings: BranchSettings


def wanted_settings(preview: Preview, login: str | None) -> BranchSettings:
    """What the branch of a preview is to be; `login` is the value of its secret. Raises RequestRejected."""
    if login is not None and not all(login.partition(":")):
        raise RequestRejected(f"the secret {preview.basic_auth} of the preview is not of the form user:password")
    return BranchSettings(
        stage=preview.stage,
        environment_variables=preview.environment_variables or {},
        credentials=base64.b64encode(login.encode()).decode() if login is not None else None,
        framework=preview.framework,
        build_spec=preview.build_spec,
    )


def is_changed(branch: BranchSettings, settings: BranchSettings) -> bool:
    """Whether a branch has to be updated to be what is wanted."""
    return (
        (branch.stage, branch.credentials) != (settings.stage, settings.credentials)
        or dict(branch.environment_variables) != dict(settings.environment_variables)
        or (settings.framework is not None and branch.framework != settings.framework)
        or (settings.build_spec is not None and branch.build_spec != settings.build_spec)
    )
