"""AWS's own code generators, for the local cloud's UI codegen jobs and backend models."""

from local.codegen.generator import (
    GeneratedFile,
    GeneratedModels,
    Generator,
    GeneratorError,
    SchemaError,
    UiCode,
)

__all__ = ["GeneratedFile", "GeneratedModels", "Generator", "GeneratorError", "SchemaError", "UiCode"]
