"""The input of Amplify Backend's GenerateBackendAPIModels.

Source: Amplify Backend API reference, and botocore's model of it. That service alone begins names with capitals.
"""

from __future__ import annotations

from pydantic import ConfigDict
from pydantic.alias_generators import to_pascal

from amplify_jobs.model.base import Model


class GenerateBackendAPIModelsParameters(Model):
    """Whose models to generate: an app's, a backend environment's, and the name of its API."""

    model_config = ConfigDict(alias_generator=to_pascal)

    app_id: str
    backend_environment_name: str
    resource_name: str
