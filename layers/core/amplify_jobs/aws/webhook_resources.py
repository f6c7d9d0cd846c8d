"""What the functions that take deliveries of git hosts in share: the intake, and what verifies a delivery."""

from __future__ import annotations

from amplify_jobs.aws.intake_resources import IntakeResources, connect_claims
from amplify_jobs.aws.secrets import Secrets
from amplify_jobs.aws.signed_http import AwsHttp
from amplify_jobs.aws.stored_routes import StoredRoutes, StoredSources
from amplify_jobs.intake.verify import Verifier
from amplify_jobs.settings import WebhookSettings


def connect_webhooks(aws: AwsHttp, settings: WebhookSettings) -> tuple[Verifier, IntakeResources]:
    """Make what verifies deliveries, and what the intake works with; both read the same copy of the routes."""
    routes = StoredRoutes(aws, settings.bucket_name, settings.routes_key)
    verifier = Verifier(routes, StoredSources(aws, settings.sources_path), Secrets(aws))
    return verifier, IntakeResources.connect(aws, settings, routes, connect_claims(aws, settings))
