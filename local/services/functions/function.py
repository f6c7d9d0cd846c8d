"""What the template says of a function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Function:
    """One function of the template, its variables and paths resolved."""

    name: str
    arn: str
    handler: str
    folder: Path
    variables: Mapping[str, str]
    timeout_seconds: float
    memory_mb: int
    layers: Sequence[Path] = ()
    layer_arns: Sequence[str] = ()
    description: str = ""
    runtime: str = ""
    role: str = ""
    dead_letter_arn: str | None = None
    reserved_concurrency: int | None = None
    last_modified: datetime = field(default_factory=lambda: datetime.now(UTC))

    def configuration(self) -> dict[str, Any]:
        """The API's FunctionConfiguration."""
        return {
            "FunctionName": self.name,
            "FunctionArn": self.arn,
            "Runtime": self.runtime,
            "Role": self.role,
            "Handler": self.handler,
            "Description": self.description,
            "Timeout": int(self.timeout_seconds),
            "MemorySize": self.memory_mb,
            "LastModified": self.last_modified.isoformat(),
            "Version": "$LATEST",
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
            "Environment": {"Variables": dict(self.variables)},
            "Layers": [{"Arn": arn} for arn in self.layer_arns],
        }
