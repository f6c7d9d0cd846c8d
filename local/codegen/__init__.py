"""AWS's own code generators, for the local cloud's UI codegen jobs and backend models."""

from local.codegen.generator import (
    INSTALLATION,
    GeneratedFile,
    GeneratedModels,
    Generator,
    GeneratorError,
    SchemaError,
    UiCode,
)

__all__ = [
    "INSTALLATION",
    "GeneratedFile",
    "GeneratedModels",
    "Generator",
    "GeneratorError",
    "SchemaError",
    "UiCode",
]
