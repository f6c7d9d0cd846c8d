"""The input of Amplify Backend's GenerateBackendAPIModels.

Source: Amplify Backend API reference, and botocore's model of it. That service alone begins names with capitals.
"""

from __future__ import annotations

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_pascal

from amplify_jobs.model.base import Model


class GenerateBackendAPIModelsParameters(Model):
    """Whose models to generate: an app's, a backend environment's, and the name of its API."""

    model_config = ConfigDict(alias_generator=to_pascal)

    app_id: str = Field(description="The app's id as Amplify shows it.", examples=["d1a2b3c4d5e6"])
    backend_environment_name: str = Field(description="The name of a backend environment.", examples=["staging"])
    resource_name: str = Field(description="The name of the environment's API.", examples=["shop"])
