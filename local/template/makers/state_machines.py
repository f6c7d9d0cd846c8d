"""State machines."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from local.template.maker import CreatedResource, Maker, MakerContext, maker


def _state_machine(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("StateMachineName", context.name(logical_id))
    created = context.services.clients.stepfunctions.create_state_machine(
        name=name,
        definition=_definition(context, properties),
        roleArn=properties.get("RoleArn", f"arn:aws:iam::{context.pseudo.account}:role/{name}"),
        type=properties.get("StateMachineType", "STANDARD"),
    )
    arn = created["stateMachineArn"]
    return CreatedResource(arn, {"Arn": arn, "Name": name})


def _definition(context: MakerContext, properties: Mapping[str, Any]) -> str:
    """A definition as JSON text, its substitutions made."""
    if "DefinitionS3Location" in properties:
        location = properties["DefinitionS3Location"]
        path = context.template.local_path(location["Bucket"], location["Key"])
        text = path.read_text(encoding="utf-8")
        if path.suffix in {".yaml", ".yml"}:
            text = json.dumps(yaml.safe_load(text))
    elif "DefinitionString" in properties:
        text = properties["DefinitionString"]
    else:
        text = json.dumps(properties["Definition"])
    substitutions: Mapping[str, Any] = properties.get("DefinitionSubstitutions", {})

    def value_of(match: re.Match[str]) -> str:
        if match[1] not in substitutions:
            raise ValueError(f"the definition has ${{{match[1]}}}, for which DefinitionSubstitutions has no value")
        return json.dumps(str(substitutions[match[1]]))[1:-1]

    return re.sub(r"\$\{(\w+)\}", value_of, text)


MAKERS: Mapping[str, Maker] = {
    "AWS::StepFunctions::StateMachine": maker(
        _state_machine,
        "StateMachineName StateMachineType DefinitionS3Location DefinitionString Definition DefinitionSubstitutions "
        "RoleArn",
        "LoggingConfiguration TracingConfiguration EncryptionConfiguration",
    ),
}
