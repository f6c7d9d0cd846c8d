"""Reads a SAM template and resolves what CloudFormation would: transform, parameters, conditions, intrinsic functions.

Functions: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml
from samtranslator.model.exceptions import InvalidDocumentException  # type: ignore[import-untyped]
from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]
from samtranslator.yaml_helper import intrinsics_multi_constructor  # type: ignore[import-untyped]

# Where SAM resource types name a file or folder of the source tree.
LOCAL_PATHS = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}
PLACEHOLDER_BUCKET = "local-source-tree"

# The translator asks IAM for these; local/permissions/managed_policies.py finds them by name.
MANAGED_POLICY_ARN = "arn:aws:iam::aws:policy/{}"

NO_VALUE = object()


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads the short forms of intrinsic functions as SAM does, by libyaml if it is there: in a tenth of the time."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


class TemplateError(Exception):
    """The template can't be read or resolved; the message says where and why."""


@dataclass(frozen=True)
class Resource:
    """One resource of the translated template; its properties still hold intrinsic functions."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    depends_on: tuple[str, ...]


@dataclass(frozen=True)
class Pseudo:
    """The pseudo parameters' values."""

    account: str
    region: str
    stack_name: str

    @property
    def stack_id(self) -> str:
        return f"arn:aws:cloudformation:{self.region}:{self.account}:stack/{self.stack_name}/local"

    def values(self) -> dict[str, Any]:
        return {
            "AWS::AccountId": self.account,
            "AWS::Region": self.region,
            "AWS::StackName": self.stack_name,
            "AWS::StackId": self.stack_id,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NotificationARNs": [],
            "AWS::NoValue": NO_VALUE,
        }


Lookup = Callable[[str, str | None], Any]
"""Finds a resource's physical id (attribute None) or attribute by logical id, creating the resource if need be."""


class Template:
    """A translated template with its parameters' values.

    `defaults` go over the template's own defaults where it declares such parameters, `parameters` over both. Raises
    TemplateError for a file that can't be read, a transform that fails, and parameters that are unknown, missing or not
    allowed. `hidden` are the parameters that are not shown (NoEcho); `outputs` hold intrinsic functions still.
    """

    def __init__(
        self, path: Path, parameters: Mapping[str, str], pseudo: Pseudo, *, defaults: Mapping[str, str] | None = None
    ) -> None:
        self.path = path
        document = _read(path)
        declared = document.get("Parameters") or {}
        own = {name: value for name, value in (defaults or {}).items() if name in declared}
        self.parameters = _parameter_values(declared, {**own, **parameters})
        self._values = pseudo.values() | self.parameters
        _put_placeholders(document)
        translated = _translate(document, self.parameters, pseudo)
        self._conditions: Mapping[str, Any] = translated.get("Conditions") or {}
        self._mappings: Mapping[str, Any] = translated.get("Mappings") or {}
        self.description: str | None = document.get("Description")
        self.hidden = frozenset(name for name, item in declared.items() if str(item.get("NoEcho")).lower() == "true")
        self.outputs: Mapping[str, Mapping[str, Any]] = {
            name: output
            for name, output in (translated.get("Outputs") or {}).items()
            if self._holds(output.get("Condition"))
        }
        self.resources: Mapping[str, Resource] = {
            logical_id: _resource(logical_id, resource)
            for logical_id, resource in translated["Resources"].items()
            if self._holds(resource.get("Condition"))
        }

    def local_path(self, bucket: str, key: str) -> Path:
        """The file or folder that a placeholder address stands for; raises TemplateError for a real address."""
        if bucket != PLACEHOLDER_BUCKET:
            raise TemplateError(f"s3://{bucket}/{key} is on AWS; the local cloud runs code of the source tree only")
        return (self.path.parent / key).resolve()

    def condition(self, name: str) -> bool:
        if name not in self._conditions:
            raise TemplateError(f"no condition is called {name!r}")
        return bool(self.resolve(self._conditions[name], _no_lookup))

    def _holds(self, name: str | None) -> bool:
        return name is None or self.condition(name)

    def resolve(self, value: Any, lookup: Lookup) -> Any:
        """The value with every intrinsic function replaced; raises TemplateError for one that isn't known."""
        if isinstance(value, list):
            items = (self.resolve(item, lookup) for item in value)
            return [item for item in items if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref":
                return self._ref(argument, lookup)
            if name == "Condition" and isinstance(argument, str):
                return self.condition(argument)
            if name.startswith("Fn::"):
                return self._function(name, argument, lookup)
        resolved = ((key, self.resolve(item, lookup)) for key, item in value.items())
        return {key: item for key, item in resolved if item is not NO_VALUE}

    def _ref(self, name: str, lookup: Lookup) -> Any:
        if name in self._values:
            return self._values[name]
        if name.startswith("AWS::"):
            raise TemplateError(f"the pseudo parameter {name} is not known to the local cloud")
        return lookup(name, None)

    def _function(self, name: str, argument: Any, lookup: Lookup) -> Any:
        if name == "Fn::If":
            condition, when_true, when_false = argument
            return self.resolve(when_true if self.condition(condition) else when_false, lookup)
        if name == "Fn::GetAtt":
            logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
            return lookup(logical_id, self.resolve(attribute, lookup))
        if name == "Fn::Sub":
            return self._sub(argument, lookup)
        value = self.resolve(argument, lookup)
        match name, value:
            case "Fn::Join", [separator, [*items]]:
                return separator.join(str(item) for item in items)
            case "Fn::Select", [index, [*items]]:
                return items[int(index)]
            case "Fn::Split", [separator, text]:
                return text.split(separator)
            case "Fn::FindInMap", [mapping, top, second]:
                return self._mappings[mapping][top][second]
            case "Fn::Base64", str():
                return base64.b64encode(value.encode()).decode("ascii")
            case "Fn::Equals", [left, right]:
                return str(left) == str(right)
            case "Fn::Not", [operand]:
                return not operand
            case "Fn::And", [*operands]:
                return all(operands)
            case "Fn::Or", [*operands]:
                return any(operands)
        raise TemplateError(f"{name} with {value!r} is not known to the local cloud")

    def _sub(self, argument: Any, lookup: Lookup) -> str:
        text, arguments = (argument, {}) if isinstance(argument, str) else argument
        variables = {name: self.resolve(value, lookup) for name, value in arguments.items()}

        def value_of(match: re.Match[str]) -> str:
            name: str = match[2].strip()
            if match[1]:
                return "${" + name + "}"
            if name in variables:
                return _text(variables[name])
            if "." in name:
                logical_id, _, attribute = name.partition(".")
                return _text(lookup(logical_id, attribute))
            return _text(self._ref(name, lookup))

        return re.sub(r"\$\{(!?)([^}]*)\}", value_of, text)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _no_lookup(logical_id: str, attribute: str | None) -> Any:  # noqa: ARG001
    raise TemplateError(f"a condition can't refer to {logical_id}: only to parameters, mappings and other conditions")


def _read(path: Path) -> dict[str, Any]:
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - it is a SafeLoader
    except OSError as error:
        raise TemplateError(f"the template {path} can't be read: {error.strerror}") from error
    except Exception as error:
        # The helper's YAML loader raises errors of many classes; each says line and column.
        raise TemplateError(f"the template {path} is no YAML: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise TemplateError(f"the template {path} has no Resources")
    return document


def _parameter_values(declared: Mapping[str, Any], arguments: Mapping[str, str]) -> dict[str, Any]:
    if unknown := sorted(set(arguments) - set(declared)):
        raise TemplateError(f"the template has no parameter {unknown[0]!r}; it has {', '.join(sorted(declared))}")
    values: dict[str, Any] = {}
    for name, parameter in declared.items():
        if name not in arguments and "Default" not in parameter:
            raise TemplateError(f"the parameter {name} has no default and was not given")
        text = str(arguments.get(name, parameter.get("Default")))
        allowed = [str(item) for item in parameter.get("AllowedValues", [])]
        if allowed and text not in allowed:
            raise TemplateError(f"the parameter {name} is {text!r}; allowed are {', '.join(allowed)}")
        if "AllowedPattern" in parameter and not re.fullmatch(parameter["AllowedPattern"], text):
            raise TemplateError(f"the parameter {name} is {text!r}; it must match {parameter['AllowedPattern']}")
        values[name] = _parameter_value(name, str(parameter.get("Type", "String")), text)
    return values


def _parameter_value(name: str, kind: str, text: str) -> Any:
    if kind == "Number":
        try:
            return float(text) if "." in text else int(text)
        except ValueError:
            raise TemplateError(f"the parameter {name} must be a number, not {text!r}") from None
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [item.strip() for item in text.split(",")] if text else []
    return text


def _put_placeholders(document: dict[str, Any]) -> None:
    """Replace paths by s3:// addresses that name them: the translator takes nothing else."""
    defaults = document.get("Globals", {}).get("Function", {}) if isinstance(document.get("Globals"), dict) else {}
    sections = [("AWS::Serverless::Function", defaults)]
    sections += [(r.get("Type", ""), r.setdefault("Properties", {})) for r in document["Resources"].values()]
    for kind, properties in sections:
        name = LOCAL_PATHS.get(kind)
        if name and isinstance(path := properties.get(name), str) and not path.startswith("s3://"):
            properties[name] = f"s3://{PLACEHOLDER_BUCKET}/{path.removeprefix('./')}"


def _translate(document: dict[str, Any], parameters: Mapping[str, Any], pseudo: Pseudo) -> dict[str, Any]:
    class Policies(dict[str, str]):
        def __missing__(self, name: str) -> str:
            return MANAGED_POLICY_ARN.format(name)

        def __contains__(self, name: object) -> bool:
            return isinstance(name, str)

        def get(self, name: str, default: Any = None) -> Any:  # noqa: ARG002
            return self[name]

    # A session of our own, since without one the translator wants the Region of the user's environment.
    session = boto3.Session(region_name=pseudo.region, aws_access_key_id="local", aws_secret_access_key="local")  # noqa: S106
    translator = Translator(Policies(), Parser(), boto_session=session)
    try:
        translated: dict[str, Any] = translator.translate(document, dict(parameters))
    except InvalidDocumentException as error:
        causes = "; ".join(cause.message for cause in error.causes)
        raise TemplateError(f"the template can't be transformed: {causes}") from error
    finally:
        # It warns on standard error of what it measured and nobody wanted.
        translator.metrics.publish()
    return translated


def _resource(logical_id: str, resource: Mapping[str, Any]) -> Resource:
    depends_on = resource.get("DependsOn", [])
    names = (depends_on,) if isinstance(depends_on, str) else tuple(depends_on)
    return Resource(logical_id, resource["Type"], resource.get("Properties") or {}, names)
