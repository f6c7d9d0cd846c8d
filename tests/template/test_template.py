"""What must hold of the template and the state machine, whatever else changes in them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from amplify_jobs import errors
from amplify_jobs.indexing.items import LISTS
from amplify_jobs.model.job import State
from amplify_jobs.model.operations import OPERATIONS
from amplify_jobs.model.request import LONGEST_MINUTES, MOST_RETRIES
from amplify_jobs.reporting.sending import PAUSES_SECONDS
from amplify_jobs.settings import Settings
from amplify_jobs.steering.service import JobsApi
from amplify_jobs.steering.web import build_app
from local.template.loader import Pseudo, Template

REPOSITORY = Path(__file__).parents[2]
SOURCE = (REPOSITORY / "template.yaml").read_text(encoding="utf-8")
PACKAGE = REPOSITORY / "layers" / "core" / "amplify_jobs"


class Tags(yaml.CSafeLoader):
    """Reads CloudFormation's short forms as the functions that they stand for."""


def _function(loader: Tags, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: str(value).split(".") if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


Tags.add_multi_constructor("!", _function)

TEMPLATE: dict[str, Any] = yaml.load(SOURCE, Tags)
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
PARAMETERS: dict[str, dict[str, Any]] = TEMPLATE["Parameters"]


def of_type(name: str) -> dict[str, dict[str, Any]]:
    """The resources of a type, with their properties."""
    return {
        logical: resource.get("Properties", {}) for logical, resource in RESOURCES.items() if resource["Type"] == name
    }


FUNCTIONS = of_type("AWS::Serverless::Function")
MACHINES = of_type("AWS::Serverless::StateMachine")
ALARMS = of_type("AWS::CloudWatch::Alarm")
TABLES = of_type("AWS::DynamoDB::Table")

every_function = pytest.mark.parametrize("name", FUNCTIONS)
every_machine = pytest.mark.parametrize("name", MACHINES)
the_machine_of_jobs = pytest.mark.parametrize("name", ["JobStateMachine"])
every_alarm = pytest.mark.parametrize("name", ALARMS)
every_table = pytest.mark.parametrize("name", TABLES)


def attribute(value: Any) -> tuple[str, ...]:
    """The logical name, and attribute, that a Ref or GetAtt means."""
    if "Ref" in value:
        return (value["Ref"],)
    return tuple(value["Fn::GetAtt"])


# ---------------------------------------------------------------- functions


def test_each_function_has_a_folder() -> None:
    folders = {path.parent.name for path in REPOSITORY.glob("functions/*/handler.py")}
    assert {properties["CodeUri"].strip("/").rpartition("/")[2] for properties in FUNCTIONS.values()} == folders


def test_the_layer_holds_the_package_of_the_functions_and_no_command_line() -> None:
    layer = REPOSITORY / RESOURCES["CoreLayer"]["Properties"]["ContentUri"]
    assert [part.name for part in layer.iterdir() if part.is_dir()] == [PACKAGE.name]
    assert "pyyaml" not in (layer / "requirements.txt").read_text(encoding="utf-8").lower()


@every_function
def test_a_function_logs_into_a_group_of_the_template(name: str) -> None:
    (group,) = attribute(FUNCTIONS[name]["LoggingConfig"]["LogGroup"])
    assert RESOURCES[group]["Type"] == "AWS::Logs::LogGroup"
    written = [attribute(properties["LoggingConfig"]["LogGroup"]) for properties in FUNCTIONS.values()]
    assert written.count((group,)) == 1


@pytest.mark.parametrize("name", of_type("AWS::Logs::LogGroup"))
def test_no_log_is_kept_for_ever(name: str) -> None:
    assert "RetentionInDays" in RESOURCES[name]["Properties"]


@every_function
def test_a_function_that_events_invoke_asynchronously_has_a_destination_for_what_failed(name: str) -> None:
    kinds = {event["Type"] for event in FUNCTIONS[name].get("Events", {}).values()}
    if kinds - {"HttpApi", "SQS"}:
        destination = FUNCTIONS[name]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
        assert attribute(destination["Destination"]) == ("DeadLetterQueue", "Arn")


def events_of_functions() -> Iterator[tuple[str, str]]:
    for function, properties in FUNCTIONS.items():
        for event, settings in properties.get("Events", {}).items():
            if settings["Type"] in ("EventBridgeRule", "Schedule", "ScheduleV2"):
                yield function, event


@pytest.mark.parametrize(("function", "event"), list(events_of_functions()))
def test_a_rule_has_a_dead_letter_queue_and_a_retry_policy(function: str, event: str) -> None:
    settings = FUNCTIONS[function]["Events"][event]["Properties"]
    assert attribute(settings["DeadLetterConfig"]["Arn"]) == ("DeadLetterQueue", "Arn")
    assert settings["RetryPolicy"]["MaximumRetryAttempts"] > 0
    assert 0 < settings["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 86_400


@pytest.mark.parametrize("name", of_type("AWS::Events::Rule"))
def test_a_rule_of_its_own_leads_to_the_queue_of_the_index(name: str) -> None:
    (target,) = RESOURCES[name]["Properties"]["Targets"]
    assert attribute(target["Arn"]) == ("IndexQueue", "Arn")
    assert attribute(target["DeadLetterConfig"]["Arn"]) == ("IndexDeadLetterQueue", "Arn")
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
    assert 0 < target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 86_400


@pytest.mark.parametrize(
    ("name", "condition", "pause", "action", "target"),
    [
        ("ReconcileSchedule", "Reconciles", 300, "states:StartExecution", ("ReconcileStateMachine",)),
        ("SweepPreviewsSchedule", "SweepsPreviews", 21_600, "lambda:InvokeFunction", ("SweepPreviewsFunction", "Arn")),
    ],
)
def test_a_schedule_that_is_none_of_routes_is_made_up_for_by_its_next_time(
    name: str, condition: str, pause: int, action: str, target: tuple[str, ...]
) -> None:
    """Any other would need a dead-letter queue that the tests above do not see. `pause` is the shortest one."""
    schedule = of_type("AWS::Scheduler::Schedule")[name]
    assert attribute(schedule["Target"]["Arn"]) == target
    assert schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] <= pause
    assert schedule["State"] == {"Fn::If": [condition, "ENABLED", "DISABLED"]}
    role = RESOURCES[attribute(schedule["Target"]["RoleArn"])[0]]["Properties"]
    (statement,) = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert (statement["Action"], attribute(statement["Resource"])) == (action, target)


def test_the_schedules_that_are_none_of_routes_are_those_of_the_test_above() -> None:
    assert of_type("AWS::Scheduler::Schedule").keys() == {"ReconcileSchedule", "SweepPreviewsSchedule"}


def test_rules_may_put_events_into_the_queues_of_the_index() -> None:
    properties = RESOURCES["IndexQueuePolicy"]["Properties"]
    (statement,) = properties["PolicyDocument"]["Statement"]
    queues = [("IndexQueue", "Arn"), ("IndexDeadLetterQueue", "Arn")]
    assert [attribute(resource) for resource in statement["Resource"]] == queues
    assert [attribute(queue) for queue in properties["Queues"]] == [(name,) for name, _ in queues]
    rules = {attribute(rule)[0] for rule in statement["Condition"]["ArnEquals"]["aws:SourceArn"]}
    assert rules == set(of_type("AWS::Events::Rule"))
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}


@pytest.mark.parametrize("name", of_type("AWS::SQS::Queue"))
def test_a_queue_has_a_dead_letter_queue_or_is_one(name: str) -> None:
    properties = RESOURCES[name]["Properties"]
    if "DeadLetter" in name:
        assert properties["MessageRetentionPeriod"] == 14 * 86_400
    else:
        assert "RedrivePolicy" in properties


def test_the_dead_letter_queue_takes_what_rules_could_not_deliver() -> None:
    statements = of_type("AWS::SQS::QueuePolicy")["DeadLetterQueuePolicy"]["PolicyDocument"]["Statement"]
    assert [statement["Principal"] for statement in statements] == [{"Service": "events.amazonaws.com"}]


def test_everything_is_traced() -> None:
    assert TEMPLATE["Globals"]["Function"]["Tracing"] == "Active"
    assert all(properties["Tracing"]["Enabled"] for properties in MACHINES.values())


# ---------------------------------------------------------------- environments


def declared(name: str) -> set[str]:
    """The variables that the template sets for a function."""
    everywhere = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    return {*everywhere, *FUNCTIONS[name].get("Environment", {}).get("Variables", {})}


# Set by Lambda, and read by botocore and Powertools, which are not ours to search.
LAMBDA_SETS = {"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
LIBRARIES_READ = {"AWS_ENDPOINT_URL", "LOG_LEVEL", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME"}


def handler_of(name: str) -> Path:
    folder: str = FUNCTIONS[name]["CodeUri"]
    return REPOSITORY / folder / "handler.py"


_LOADED = {
    "aws/services.py": {spec.service for spec in OPERATIONS.values()},
    "starting/start.py": {spec.starter for spec in OPERATIONS.values()},
}


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """All that a module is made of. Functions have most of their modules in common."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def modules_of(handler: Path) -> set[Path]:
    """The handler and every module of the package that it imports, directly or not."""
    modules, to_read = {handler}, [handler]
    while to_read:
        path = to_read.pop()
        # What a module loads by the registry of operations it does not import.
        loaded = _LOADED.get(path.relative_to(PACKAGE).as_posix(), ()) if path.is_relative_to(PACKAGE) else ()
        for node in (*nodes_of(path), *loaded):
            names = []
            if isinstance(node, str):
                names = [node.partition(":")[0]]
            elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("amplify_jobs"):
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                path = PACKAGE.parent.joinpath(*name.split(".")).with_suffix(".py")
                if path.is_file() and path not in modules:
                    modules.add(path)
                    to_read.append(path)
    return modules


def settings_of(handler: Path) -> set[str]:
    """The environment variables that are fields of the settings models of a handler, its own or imported ones."""
    variables = set()
    for node in nodes_of(handler):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("amplify_jobs"):
            members = [getattr(import_module(str(node.module)), alias.name, None) for alias in node.names]
            models = [member for member in members if isinstance(member, type) and issubclass(member, Settings)]
            variables |= {field.upper() for model in models for field in model.model_fields}
        elif isinstance(node, ast.ClassDef) and [getattr(base, "id", "") for base in node.bases] == ["Settings"]:
            fields = [field.target for field in node.body if isinstance(field, ast.AnnAssign)]
            variables |= {field.id.upper() for field in fields if isinstance(field, ast.Name)}
    return variables


def read_of_environment(path: Path) -> set[str]:
    """The environment variables that a module names itself: os.environ[…], os.environ.get(…)."""
    source = path.read_text(encoding="utf-8")
    return set(re.findall(r"(?:environ\[|environ\.get\(|getenv\()\s*\"([A-Z_]+)\"", source))


@cache
def variables_of(name: str) -> set[str]:
    handler = handler_of(name)
    return settings_of(handler).union(*map(read_of_environment, modules_of(handler)))


@every_function
def test_what_a_function_reads_of_its_environment_is_declared_and_nothing_else(name: str) -> None:
    read = variables_of(name)
    assert read - LAMBDA_SETS <= declared(name)
    own = set(FUNCTIONS[name].get("Environment", {}).get("Variables", {}))
    assert own <= read


def test_what_every_function_is_given_some_function_reads() -> None:
    read = set().union(*map(variables_of, FUNCTIONS))
    assert set(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]) - LIBRARIES_READ <= read


# ---------------------------------------------------------------- policies


def statements(properties: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Those of a function's role or of a machine, with those that a parameter adds."""
    if "Role" in properties:
        role = RESOURCES[attribute(properties["Role"])[0]]["Properties"]
        policies = [policy["PolicyDocument"] for policy in role["Policies"]]
    else:
        policies = properties.get("Policies", [])
    for policy in policies:
        for statement in policy["Statement"]:
            yield statement["Fn::If"][1] if "Fn::If" in statement else statement


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# What every function's role has, and what one whose failures go to a queue has besides.
OF_EVERY_ROLE = {"WriteLogs", "WriteTraces", "KeepWhatFailed"}


def allowed(name: str) -> set[str]:
    """What a function's code may do, each as an action and what it may be done to."""
    return {
        f"{action} {subject_of(resource)}"
        for statement in statements(FUNCTIONS[name])
        if statement["Sid"] not in OF_EVERY_ROLE
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def subject_of(resource: Any) -> str:
    """A resource of the template by its logical name, any other by the last part of its ARN."""
    if resource == "*":
        return "*"
    if "Ref" in resource and resource["Ref"] in PARAMETERS:
        return str(resource["Ref"])
    if "Fn::Split" in resource:
        names = resource["Fn::Split"][1]["Fn::Sub"][1]["Names"]
        return f"objects of {names['Fn::Join'][1]['Ref']}"
    if "Fn::Sub" in resource:
        for machine, properties in MACHINES.items():
            if resource["Fn::Sub"].endswith(f":stateMachine:{properties['Name']['Fn::Sub']}"):
                return machine
        return re.sub(r"^arn:.*\$\{AWS::AccountId\}:", "", resource["Fn::Sub"])
    return attribute(resource)[0]


# Of this account, as the statement's condition says.
READABLE = ("${Bucket.Arn}/*", "objects of ReadableBuckets")
OBJECTS_THAT_REQUESTS_NAME = {
    *(f"s3:{action} {target}" for action in ("GetObject", "GetObjectVersion") for target in READABLE),
    "kms:Decrypt DecryptKeyArns",
}


# What each method of ours that calls AWS needs; a module's methods that a function does not call need nothing of it.
NEEDED: dict[str, dict[str, set[str]]] = {
    # Its callers are asked: stop_job.
    "aws/amplify_stops.py": {},
    "aws/amplify.py": {
        "send": {
            "amplify:StartJob apps/*",
            "amplify:StartDeployment apps/*",
            # What an artifact's address is signed for, the signer must be allowed.
            *OBJECTS_THAT_REQUESTS_NAME,
        },
        "list_jobs": {"amplify:ListJobs apps/*"},
        "job_with_origin": {"amplify:GetJob apps/*", "amplify:GetApp apps/*"},
        "get_job": {"amplify:GetJob apps/*"},
        "step_addresses": {"amplify:GetJob apps/*"},
        "build_variables": {"amplify:GetApp apps/*", "amplify:GetBranch apps/*"},
        "app_name_and_domain": {"amplify:GetApp apps/*"},
        "branch_display_name": {"amplify:GetBranch apps/*"},
        "stop_job": {"amplify:StopJob apps/*"},
    },
    "aws/jobs_table/leases.py": {
        "lease": {"dynamodb:GetItem JobsTable"},
        "acquire_lease": {"dynamodb:PutItem JobsTable"},
        "raise_highest_job_id": {"dynamodb:UpdateItem JobsTable"},
        "release_lease": {"dynamodb:UpdateItem JobsTable"},
    },
    "aws/jobs_table/requests.py": {
        "job_of_request": {"dynamodb:GetItem JobsTable"},
        "link_request_to_job": {"dynamodb:UpdateItem JobsTable"},
        "models_attempt": {"dynamodb:GetItem JobsTable"},
        "save_models_attempt": {"dynamodb:UpdateItem JobsTable"},
        "mark_superseded": {"dynamodb:UpdateItem JobsTable"},
        "superseding_request": {"dynamodb:GetItem JobsTable"},
        "order_stop": {"dynamodb:UpdateItem JobsTable"},
        "stop_of_request": {"dynamodb:GetItem JobsTable"},
        "progress": {"dynamodb:GetItem JobsTable"},
        "published_announcements": {"dynamodb:GetItem JobsTable"},
        "mark_announced": {"dynamodb:UpdateItem JobsTable"},
    },
    "aws/jobs_table/latest.py": {
        "latest_of_kind": {"dynamodb:GetItem JobsTable"},
        "write_latest": {"dynamodb:PutItem JobsTable"},
    },
    "aws/jobs_table/records.py": {
        "record_start": {"dynamodb:UpdateItem JobsTable"},
        "claim_job": {"dynamodb:UpdateItem JobsTable"},
        "claim_job_anew": {"dynamodb:UpdateItem JobsTable", "dynamodb:GetItem JobsTable"},
        "owner": {"dynamodb:GetItem JobsTable"},
        "record_poll": {"dynamodb:UpdateItem JobsTable"},
        "record_state": {"dynamodb:UpdateItem JobsTable"},
        "record_status_change": {"dynamodb:UpdateItem JobsTable"},
        "has_ended": {"dynamodb:GetItem JobsTable"},
        "earlier_jobs": {"dynamodb:Query JobsTable"},
        "followed_jobs": {"dynamodb:Query ${JobsTable.Arn}/index/followed"},
    },
    "aws/ui_builder.py": {
        "start_codegen_job": {"amplifyuibuilder:StartCodegenJob *", "amplify:GetApp apps/*"},
        "get_job": {"amplifyuibuilder:GetCodegenJob app/*", "amplify:GetApp apps/*"},
        "get_output": {"amplifyuibuilder:GetCodegenJob app/*", "amplify:GetApp apps/*"},
    },
    "aws/amplify_backend.py": {
        "generate_models": {"amplifybackend:GenerateBackendAPIModels /backend/*"},
        "model_jobs": {"amplifybackend:ListBackendJobs /backend/*"},
        "get_job": {"amplifybackend:GetBackendJob /backend/*"},
        "get_output": {"amplifybackend:GetBackendAPIModels /backend/*"},
    },
    "aws/s3.py": {
        "check_readable": OBJECTS_THAT_REQUESTS_NAME,
        "signed_address": OBJECTS_THAT_REQUESTS_NAME,
        "read_text": OBJECTS_THAT_REQUESTS_NAME,
        "read_json_object": OBJECTS_THAT_REQUESTS_NAME,
        "write": {"s3:PutObject ${Bucket.Arn}/results/*", "s3:PutObject ${Bucket.Arn}/logs/*"},
    },
    "aws/task_tokens.py": {"wake": {"states:SendTaskSuccess JobStateMachine"}},
    "aws/publisher.py": {
        "publish_to_topic": {"sns:Publish AnnouncementsTopic"},
        "put_event": {"events:PutEvents Bus"},
    },
}
# s3:ListBucket tells a missing object from a forbidden one.
ROUTES = {"s3:GetObject ${Bucket.Arn}/routes.json", "s3:ListBucket Bucket"}
# What Lambda's poller needs of a queue, and a function that hides a message for as long as it has to wait.
POLLER = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
HIDING_POLLER = (*POLLER, "ChangeMessageVisibility")
# Powertools' persistence layer. Its documentation has GetItem too, which it calls only with boto3 before 1.26.164:
# PutItem then does not answer the item on file when a condition fails.
IDEMPOTENCY = {f"dynamodb:{verb}Item IdempotencyTable" for verb in ("Put", "Update", "Delete")}


@pytest.mark.parametrize("module", NEEDED)
def test_the_table_of_what_is_needed_has_every_public_method(module: str) -> None:
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    methods = {
        function.name
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for function in node.body
        if isinstance(function, ast.FunctionDef) and not function.name.startswith("_") and function.name != "connect"
    }
    assert methods == set(NEEDED[module])


def called(paths: set[Path]) -> set[str]:
    """The names of all attributes that modules use; the modules that call AWS are not asked about themselves."""
    names = set()
    for path in paths:
        if not path.is_relative_to(PACKAGE) or path.relative_to(PACKAGE).as_posix() not in NEEDED:
            names |= {node.attr for node in nodes_of(path) if isinstance(node, ast.Attribute)}
    return names


@every_function
def test_a_function_may_write_its_own_logs_and_traces_and_bury_what_failed(name: str) -> None:
    own_statements = {one["Sid"]: one for one in statements(FUNCTIONS[name]) if one["Sid"] in OF_EVERY_ROLE}
    assert own_statements["WriteLogs"]["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    group = FUNCTIONS[name]["LoggingConfig"]["LogGroup"]["Ref"]
    assert attribute(own_statements["WriteLogs"]["Resource"]) == (group, "Arn")
    assert own_statements["WriteTraces"]["Action"] == ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    destination = FUNCTIONS[name].get("EventInvokeConfig", {}).get("DestinationConfig", {}).get("OnFailure")
    assert ("KeepWhatFailed" in own_statements) == (destination is not None)
    if destination is not None:
        assert own_statements["KeepWhatFailed"]["Resource"] == destination["Destination"]


def test_no_function_has_more_than_its_role_says() -> None:
    """SAM gives a role that it makes the right to create log groups, and to write to all of them."""
    for name, properties in FUNCTIONS.items():
        role = RESOURCES[attribute(properties["Role"])[0]]["Properties"]
        assert "ManagedPolicyArns" not in role, name
        assert "Policies" not in properties, name


WAYS_IN = {"ReceiveWebhookFunction", "ReceiveEventFunction", "DrainIntakeFunction"}
REPORTING = {"PlanReportsFunction", "SendReportFunction"}
INDEXING = {"IndexJobsFunction", "ApiFunction"}
MIRRORING = {"MirrorFunction", "ReconcileFunction"}
PREVIEWING = {"PreviewFunction", "SweepPreviewsFunction"}
# A branch that is created with a tag needs TagResource.
CHANGING_BRANCHES = ("CreateBranch", "TagResource", "UpdateBranch", "DeleteBranch")


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - WAYS_IN - REPORTING - INDEXING - MIRRORING - PREVIEWING))
def test_a_policy_names_exactly_what_the_function_calls(name: str) -> None:
    paths = modules_of(handler_of(name))
    names = called(paths)
    imported = {path.relative_to(PACKAGE).as_posix() for path in paths if path.is_relative_to(PACKAGE)}
    needed = set()
    for module, methods in NEEDED.items():
        if module in imported:
            needed |= set().union(*(methods[method] for method in methods if method in names))
    if "IDEMPOTENCY_TABLE" in declared(name):
        needed |= IDEMPOTENCY
    if "STATE_MACHINE_ARN" in declared(name):
        needed |= ROUTES | {"states:StartExecution JobStateMachine"}
    assert allowed(name) == needed


@pytest.mark.parametrize(
    ("buckets", "objects"),
    [
        ("", []),
        ("releases", ["arn:aws:s3:::releases/*"]),
        ("releases-*, schemas.example.com", ["arn:aws:s3:::releases-*/*", "arn:aws:s3:::schemas.example.com/*"]),
    ],
)
def test_requests_may_read_of_the_buckets_that_a_parameter_names(buckets: str, objects: list[str]) -> None:
    pseudo = Pseudo(account="123456789012", region="eu-west-1", stack_name="amplify-jobs")
    template = Template(REPOSITORY / "template.yaml", {"ReadableBuckets": buckets}, pseudo)
    (policy,) = template.resources["StartJobFunctionRole"].properties["Policies"]
    statements = template.resolve(policy["PolicyDocument"]["Statement"], lambda logical_id, attribute: logical_id)
    others = [statement for statement in statements if statement["Sid"] == "ReadObjectsOfReadableBuckets"]
    assert [resource for statement in others for resource in statement["Resource"]] == objects
    assert all(one["Condition"]["StringEquals"]["aws:ResourceAccount"] == pseudo.account for one in others)


def test_the_ways_in_may_read_routes_start_executions_and_defer_or_drain() -> None:
    """They call these without clients of boto3."""
    process = {
        *ROUTES,
        "s3:PutObject ${Bucket.Arn}/requests/*",
        "states:StartExecution JobStateMachine",
    }
    defer = {"sqs:SendMessage IntakeQueue"}
    record = {"sqs:SendMessage IndexQueue"}
    verify = {
        "ssm:GetParameters parameter/${AWS::StackName}/secrets/*",
        "ssm:GetParameter parameter/${AWS::StackName}/sources/*",
        "kms:Decrypt DecryptKeyArns",
    }
    # What is too large for a message is read from the bucket.
    drain = {*(f"sqs:{action} IntakeQueue" for action in HIDING_POLLER), "s3:GetObject ${Bucket.Arn}/requests/intake/*"}
    claim = {"dynamodb:GetItem JobsTable", "dynamodb:PutItem JobsTable"}
    assert allowed("ReceiveWebhookFunction") == process | defer | verify | record | claim
    assert allowed("ReceiveEventFunction") == process | defer | record | claim
    assert allowed("DrainIntakeFunction") == process | drain | verify | record | claim
    for name in ("ReceiveWebhookFunction", "ReceiveEventFunction", "DrainIntakeFunction"):
        (claims,) = (one for one in statements(FUNCTIONS[name]) if one["Sid"] == "ClaimChangesOfRefs")
        assert claims["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["ref#*"]}}


def test_reconcile_reads_refs_and_claims_keeps_snapshots_and_asks_by_the_intake_queue() -> None:
    assert allowed("ReconcileFunction") == {
        *ROUTES,
        "ssm:GetParameters parameter/${AWS::StackName}/secrets/*",
        "kms:Decrypt DecryptKeyArns",
        "s3:GetObject ${Bucket.Arn}/reconcile/*",
        "s3:PutObject ${Bucket.Arn}/reconcile/*",
        "dynamodb:GetItem JobsTable",
        "sqs:SendMessage IntakeQueue",
        "codecommit:GitPull objects of ReconcileRepositories",
        *JOINING_A_VPC,
    }
    (claims,) = (one for one in statements(FUNCTIONS["ReconcileFunction"]) if one["Sid"] == "ReadClaims")
    assert claims["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["ref#*"]}}
    pseudo = Pseudo(account="123456789012", region="eu-west-1", stack_name="amplify-jobs")
    template = Template(REPOSITORY / "template.yaml", {"ReconcileRepositories": "web, docs"}, pseudo)
    (policy,) = template.resources["ReconcileFunctionRole"].properties["Policies"]
    resolved_statements = template.resolve(
        policy["PolicyDocument"]["Statement"], lambda logical_id, attribute: logical_id
    )
    (pulls,) = (one for one in resolved_statements if one["Sid"] == "ReadCodeCommit")
    assert pulls["Resource"] == ["arn:aws:codecommit:*:*:web", "arn:aws:codecommit:*:*:docs"]
    assert pulls["Condition"]["StringEquals"]["aws:ResourceAccount"] == pseudo.account
    assert FUNCTIONS["ReconcileFunction"]["VpcConfig"] == FUNCTIONS["MirrorFunction"]["VpcConfig"]


# What Lambda itself asks for to join a VPC (Lambda developer guide, "Execution role permissions").
JOINING_A_VPC = {
    *(f"ec2:{verb}NetworkInterface{end} *" for verb, end in (("Create", ""), ("Describe", "s"), ("Delete", ""))),
    *(f"ec2:{verb}PrivateIpAddresses *" for verb in ("Assign", "Unassign")),
    "ec2:DescribeSubnets *",
}


COMMENTING = (
    *("GetCommit", "GetPullRequest", "GetCommentsForComparedCommit", "GetCommentsForPullRequest"),
    *("PostCommentForComparedCommit", "PostCommentForPullRequest", "UpdateComment"),
)


def test_reports_are_planned_by_the_routes_and_sent_with_secrets_and_records_of_their_own() -> None:
    assert allowed("PlanReportsFunction") == ROUTES | {"sqs:SendMessage ReportQueue"}
    assert allowed("SendReportFunction") == ROUTES | {
        *(f"sqs:{action} ReportQueue" for action in HIDING_POLLER),
        "ssm:GetParameters parameter/${AWS::StackName}/secrets/*",
        "kms:Decrypt DecryptKeyArns",
        "dynamodb:GetItem JobsTable",
        "dynamodb:PutItem JobsTable",
        "sns:Publish AnnouncementsTopic",
        "sns:Publish ChatTopic",
        *(f"codecommit:{action} objects of CommentRepositories" for action in COMMENTING),
        "sqs:SendMessage IndexQueue",
    }
    (records,) = (one for one in statements(FUNCTIONS["SendReportFunction"]) if one["Sid"] == "KeepRecordsOfReports")
    assert records["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["report#*", "target#*"]}}


def test_mirrors_are_kept_by_the_routes_in_repositories_that_a_parameter_names() -> None:
    assert allowed("MirrorFunction") == {
        *ROUTES,
        "ssm:GetParameters parameter/${AWS::StackName}/secrets/*",
        "kms:Decrypt DecryptKeyArns",
        "dynamodb:GetItem JobsTable",
        "dynamodb:PutItem JobsTable",
        "dynamodb:UpdateItem JobsTable",
        "states:DescribeExecution execution:${AWS::StackName}-job:*",
        "codecommit:GitPull objects of MirrorRepositories",
        "codecommit:GitPush objects of MirrorRepositories",
        *JOINING_A_VPC,
    }
    (records,) = (one for one in statements(FUNCTIONS["MirrorFunction"]) if one["Sid"] == "KeepRecordsOfBranches")
    assert records["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["mirror#*", "request#*"]}}
    pseudo = Pseudo(account="123456789012", region="eu-west-1", stack_name="amplify-jobs")
    template = Template(REPOSITORY / "template.yaml", {"MirrorRepositories": "web, docs"}, pseudo)
    (policy,) = template.resources["MirrorFunctionRole"].properties["Policies"]
    resolved_statements = template.resolve(
        policy["PolicyDocument"]["Statement"], lambda logical_id, attribute: logical_id
    )
    (mirrors,) = (one for one in resolved_statements if one["Sid"] == "KeepMirrors")
    assert mirrors["Resource"] == ["arn:aws:codecommit:*:*:web", "arn:aws:codecommit:*:*:docs"]
    assert mirrors["Condition"]["StringEquals"]["aws:ResourceAccount"] == pseudo.account
    assert not [one for one in resolved_statements if one["Sid"] == "JoinVpc"]


def test_the_sweep_reads_records_and_refs_and_asks_for_removals_by_executions() -> None:
    assert allowed("SweepPreviewsFunction") == {
        *ROUTES,
        "ssm:GetParameters parameter/${AWS::StackName}/secrets/*",
        "kms:Decrypt DecryptKeyArns",
        "dynamodb:Query JobsTable",
        "states:StartExecution JobStateMachine",
        *JOINING_A_VPC,
    }
    statement = next(one for one in statements(FUNCTIONS["SweepPreviewsFunction"]) if one["Action"] == "dynamodb:Query")
    assert statement["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["previews"]}}
    assert FUNCTIONS["SweepPreviewsFunction"]["VpcConfig"] == FUNCTIONS["MirrorFunction"]["VpcConfig"]


def test_only_preview_makes_and_deletes_branches_of_apps() -> None:
    assert allowed("PreviewFunction") == {
        *ROUTES,
        *(f"amplify:{action} apps/*" for action in (*CHANGING_BRANCHES, "GetBranch", "ListJobs", "StopJob")),
        "ssm:GetParameters parameter/${AWS::StackName}/secrets/*",
        "kms:Decrypt DecryptKeyArns",
        "dynamodb:GetItem JobsTable",
        "dynamodb:PutItem JobsTable",
        "dynamodb:UpdateItem JobsTable",
    }
    (records,) = (one for one in statements(FUNCTIONS["PreviewFunction"]) if one["Sid"] == "KeepRecordsOfPreviews")
    assert records["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["previews", "request#*"]}}
    changes = {f"amplify:{action} apps/*" for action in CHANGING_BRANCHES}
    assert not [name for name in FUNCTIONS.keys() - PREVIEWING if allowed(name) & changes]


def test_the_queue_of_reports_keeps_order_and_outlasts_the_function() -> None:
    queue, mapping = RESOURCES["ReportQueue"]["Properties"], RESOURCES["ReportMapping"]["Properties"]
    assert queue["FifoQueue"] is True
    assert RESOURCES["ReportDeadLetterQueue"]["Properties"]["FifoQueue"] is True
    assert attribute(mapping["FunctionName"]) == ("SendReportFunction",)
    assert queue["VisibilityTimeout"] >= 6 * FUNCTIONS["SendReportFunction"]["Timeout"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == len(PAUSES_SECONDS) + 1
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_index_jobs_reads_its_queue_and_writes_its_table_and_nothing_else() -> None:
    assert allowed("IndexJobsFunction") == {
        *(f"sqs:{action} IndexQueue" for action in POLLER),
        "dynamodb:GetItem IndexTable",
        "dynamodb:PutItem IndexTable",
    }


def test_the_api_reads_the_index_looks_at_jobs_and_requests_them_as_the_ways_in_do() -> None:
    assert allowed("ApiFunction") == {
        "dynamodb:GetItem IndexTable",
        "dynamodb:Query IndexTable",
        "dynamodb:Query ${IndexTable.Arn}/index/*",
        "sqs:GetQueueAttributes IndexQueue",
        "sqs:GetQueueAttributes IndexDeadLetterQueue",
        *(f"amplify:{action} apps/*" for action in ("GetApp", "GetBranch", "GetJob", "StopJob")),
        "dynamodb:UpdateItem JobsTable",
        "states:SendTaskSuccess JobStateMachine",
        *ROUTES,
        "s3:PutObject ${Bucket.Arn}/requests/*",
        "states:StartExecution JobStateMachine",
        "states:DescribeExecution execution:${AWS::StackName}-job:*",
        "sqs:SendMessage IntakeQueue",
        "sqs:SendMessage IndexQueue",
    }


def test_every_route_of_the_api_but_badges_asks_for_the_signature_of_aws() -> None:
    events = [event["Properties"] for event in FUNCTIONS["ApiFunction"]["Events"].values()]
    unsigned = {event["Path"] for event in events if event.get("Auth") != {"Authorizer": "AWS_IAM"}}
    assert unsigned == {"/badges/{name}"}
    app = build_app(cast(JobsApi, None))
    routes = {
        (route.method, re.sub(r"<(\w+)>", "{}", route.path)) for route in app._static_routes + app._dynamic_routes
    }
    assert routes == {(event["Method"], re.sub(r"{\w+}", "{}", event["Path"])) for event in events}


def test_the_index_has_the_lists_that_are_read_and_shows_summaries_only() -> None:
    table = TABLES["IndexTable"]
    indexes = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}
    keys = {name: [key["AttributeName"] for key in index["KeySchema"]] for name, index in indexes.items()}
    assert keys == {name: [key, "at"] for name, key in LISTS.items()}
    assert all(index["Projection"]["NonKeyAttributes"] == ["summary"] for index in indexes.values())


def test_the_queue_of_the_index_outlasts_its_function() -> None:
    queue, mapping = RESOURCES["IndexQueue"]["Properties"], RESOURCES["IndexMapping"]["Properties"]
    timeout = FUNCTIONS["IndexJobsFunction"].get("Timeout", TEMPLATE["Globals"]["Function"]["Timeout"])
    assert queue["VisibilityTimeout"] >= 6 * timeout
    assert attribute(mapping["FunctionName"]) == ("IndexJobsFunction",)
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_schedules_may_call_receive_event_and_bury_what_failed_and_nothing_else() -> None:
    (policy,) = RESOURCES["SchedulerRole"]["Properties"]["Policies"]
    rights = [(one["Action"], attribute(one["Resource"])[0]) for one in policy["PolicyDocument"]["Statement"]]
    assert rights == [("lambda:InvokeFunction", "ReceiveEventFunction"), ("sqs:SendMessage", "DeadLetterQueue")]


def test_the_intake_queue_keeps_order_and_outlasts_the_function() -> None:
    queue, mapping = RESOURCES["IntakeQueue"]["Properties"], RESOURCES["IntakeMapping"]["Properties"]
    assert queue["FifoQueue"] is True
    assert RESOURCES["IntakeDeadLetterQueue"]["Properties"]["FifoQueue"] is True
    assert attribute(mapping["FunctionName"]) == ("DrainIntakeFunction",)
    timeout = FUNCTIONS["DrainIntakeFunction"].get("Timeout", TEMPLATE["Globals"]["Function"]["Timeout"])
    assert queue["VisibilityTimeout"] >= 6 * timeout
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_an_upgrade_changes_the_mapping_before_the_function_that_drained_the_queue_earlier() -> None:
    assert RESOURCES["ReceiveEventFunctionRole"]["DependsOn"] == "IntakeMapping"
    assert attribute(FUNCTIONS["ReceiveEventFunction"]["Role"])[0] == "ReceiveEventFunctionRole"


def policies_of_everything() -> Iterator[tuple[str, dict[str, Any]]]:
    for logical, properties in (FUNCTIONS | MACHINES).items():
        for statement in statements(properties):
            yield logical, statement


@pytest.mark.parametrize(("logical", "statement"), list(policies_of_everything()))
def test_no_policy_allows_all_actions_of_a_service(logical: str, statement: dict[str, Any]) -> None:
    assert statement["Effect"] == "Allow"
    assert not [action for action in as_list(statement["Action"]) if "*" in action]


@pytest.mark.parametrize(("logical", "statement"), list(policies_of_everything()))
def test_a_statement_about_everything_says_why(logical: str, statement: dict[str, Any]) -> None:
    if "*" not in as_list(statement["Resource"]):
        return
    lines = SOURCE.splitlines()
    number = next(i for i, line in enumerate(lines) if line.strip() == f"- Sid: {statement['Sid']}")
    assert lines[number - 1].strip().startswith("# ")


def test_every_statement_has_a_name_of_its_own_in_its_policy() -> None:
    for logical, properties in (FUNCTIONS | MACHINES).items():
        sids = [statement["Sid"] for statement in statements(properties)]
        assert len(sids) == len(set(sids)), logical


# ---------------------------------------------------------------- what is kept


@every_table
def test_a_table_forgets_can_be_restored_and_is_encrypted(name: str) -> None:
    properties = TABLES[name]
    assert properties["TimeToLiveSpecification"]["Enabled"] is True
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert properties["SSESpecification"]["SSEEnabled"] is True
    assert properties["BillingMode"] == "PAY_PER_REQUEST"


def test_the_tables_forget_by_the_members_that_are_written() -> None:
    for name in ("JobsTable", "IndexTable"):
        assert TABLES[name]["TimeToLiveSpecification"]["AttributeName"] == "expiresAt"
    # Powertools' own name.
    assert TABLES["IdempotencyTable"]["TimeToLiveSpecification"]["AttributeName"] == "expiration"


@pytest.mark.parametrize("name", of_type("AWS::S3::Bucket"))
def test_a_bucket_is_versioned_encrypted_and_private(name: str) -> None:
    properties = RESOURCES[name]["Properties"]
    assert properties["VersioningConfiguration"]["Status"] == "Enabled"
    assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}


def test_the_bus_has_an_archive() -> None:
    (archive,) = of_type("AWS::Events::Archive").values()
    assert attribute(archive["SourceArn"]) == ("Bus", "Arn")


# ---------------------------------------------------------------- alarms


@every_alarm
def test_an_alarm_tells_somebody_and_is_in_the_runbook(name: str) -> None:
    properties = ALARMS[name]
    assert attribute(properties["AlarmActions"][0]) == ("AlarmsTopic",)
    heading = re.search(r'docs/runbook\.md, "([^"]+)"', properties["AlarmDescription"])
    assert heading is not None
    runbook = (REPOSITORY / "docs" / "runbook.md").read_text(encoding="utf-8")
    paragraph = re.search(rf"^## {re.escape(heading[1])}\n\n(.+?)(?=\n\n## |\Z)", runbook, re.MULTILINE | re.DOTALL)
    assert paragraph is not None
    _, _, section = paragraph[1].partition(properties["AlarmName"]["Fn::Sub"].replace("${AWS::StackName}", "STACK"))
    assert re.findall(r"^- \*\*(\w+)\.\*\*", section.partition("*Alarm")[0], re.MULTILINE) == ["Meaning", "Look", "Do"]


def test_there_are_alarms_on_everything_that_can_fail() -> None:
    metrics = {
        (text_of(metric["Namespace"]), metric["MetricName"])
        for alarm in ALARMS.values()
        for metric in [
            alarm,
            *(part["MetricStat"]["Metric"] for part in alarm.get("Metrics", []) if "MetricStat" in part),
        ]
        if "MetricName" in metric
    }
    assert metrics == {
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
        ("AWS/States", "ExecutionsFailed"),
        ("AWS/States", "ExecutionsTimedOut"),
        ("AWS/States", "ExecutionsAborted"),
        ("AWS/Lambda", "Errors"),
        ("AWS/ApiGateway", "5xx"),
        ("AWS/ApiGateway", "4xx"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/Lambda", "DestinationDeliveryFailures"),
        ("AWS/Events", "InvocationsFailedToBeSentToDlq"),
        ("AWS/States", "ExecutionThrottled"),
        ("amplify-jobs", "StartAge"),
        ("amplify-jobs", "StartsFailed"),
        ("amplify-jobs", "Deliveries"),
        ("amplify-jobs", "RepositoryOutage"),
        # Counted in the access log.
        ("amplify-jobs/${AWS::StackName}", "ThrottledDeliveries"),
        ("amplify-jobs/${AWS::StackName}", "LargeDeliveries"),
    }


def text_of(value: Any) -> str:
    return str(value["Fn::Sub"] if isinstance(value, dict) else value)


def test_the_errors_of_every_function_raise_an_alarm() -> None:
    # These raise on purpose, and count what is not: see the next test, and tests/unit/starting/test_failure.py.
    counting = {"StartJobFunction", "MirrorFunction", "PreviewFunction"}
    assert {name for name in FUNCTIONS if name in json.dumps(ALARMS)} == set(FUNCTIONS) - counting
    for name in counting:
        source = (REPOSITORY / FUNCTIONS[name]["CodeUri"] / "handler.py").read_text(encoding="utf-8")
        assert "count_failed_try(" in source


def test_metrics_of_ours_that_alarms_and_the_dashboard_show_are_written() -> None:
    """By functions of this stack, whose dimension Powertools calls service; Jobs… are counted by their outcomes."""
    written = {f"Jobs{''.join(part.title() for part in state.split('_'))}" for state in State if state.is_outcome}
    for path in [*(REPOSITORY / "functions").rglob("*.py"), *PACKAGE.rglob("*.py")]:
        written |= set(re.findall(r'"([A-Z][A-Za-z]+)"(?= if | else |, MetricUnit)', path.read_text(encoding="utf-8")))
    shown = set(re.findall(r'\["amplify-jobs","(\w+)","service",', SOURCE))
    alarmed = {
        metric["MetricName"]
        for alarm in ALARMS.values()
        for metric in [alarm, *(part.get("MetricStat", {}).get("Metric", {}) for part in alarm.get("Metrics", []))]
        if metric.get("Namespace") == "amplify-jobs"
    }
    assert shown | alarmed <= written


def test_the_alarm_of_lost_events_watches_every_rule() -> None:
    watched = {
        text_of(dimension["Value"])
        for alarm in ("LostEventsAlarm", "LostReportsAlarm", "IndexErrorsAlarm")
        for part in ALARMS[alarm]["Metrics"]
        for dimension in part.get("MetricStat", {}).get("Metric", {}).get("Dimensions", [])
        if dimension["Name"] == "RuleName"
    }
    rules = {
        text_of(event["Properties"]["RuleName"])
        for properties in FUNCTIONS.values()
        for event in properties.get("Events", {}).values()
        if event["Type"] == "EventBridgeRule"
    }
    assert watched == rules | {text_of(rule["Name"]) for rule in of_type("AWS::Events::Rule").values()}


def test_the_dashboard_is_json_and_shows_every_alarm() -> None:
    pseudo = Pseudo(account="123456789012", region="eu-west-1", stack_name="amplify-jobs")
    template = Template(REPOSITORY / "template.yaml", {}, pseudo)
    dashboard = template.resources["Dashboard"].properties
    body = json.loads(template.resolve(dashboard["DashboardBody"], lambda logical_id, attribute: logical_id))
    (alarms,) = (widget for widget in body["widgets"] if widget["type"] == "alarm")
    assert sorted(alarms["properties"]["alarms"]) == sorted(ALARMS)


# ---------------------------------------------------------------- parameters


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_has_a_default_and_is_used(name: str) -> None:
    assert "Default" in PARAMETERS[name]
    used = json.dumps([RESOURCES, TEMPLATE["Globals"], TEMPLATE["Conditions"]])
    assert f'{{"Ref": "{name}"}}' in used or f"${{{name}}}" in used


# ---------------------------------------------------------------- the state machine


def definition(name: str) -> dict[str, Any]:
    """A state machine; the states of a Map stand beside the others."""
    read: dict[str, Any] = json.loads((REPOSITORY / MACHINES[name]["DefinitionUri"]).read_text(encoding="utf-8"))
    for state in list(read["States"].values()):
        read["States"] |= state.get("ItemProcessor", {}).get("States", {})
    return read


def states() -> Iterator[tuple[str, str]]:
    for machine in MACHINES:
        for state in definition(machine)["States"]:
            yield machine, state


def tasks(*machines: str) -> list[Any]:
    return [
        pytest.param(machine, state, id=state)
        for machine, state in states()
        if machine in machines and definition(machine)["States"][state]["Type"] == "Task"
    ]


every_task = pytest.mark.parametrize(("machine", "task"), tasks(*MACHINES))
every_task_of_a_job = pytest.mark.parametrize(("machine", "task"), tasks("JobStateMachine"))


@the_machine_of_jobs
def test_an_execution_ends_some_day_but_not_before_its_deadlines(name: str) -> None:
    assert definition(name)["TimeoutSeconds"] > (1 + MOST_RETRIES) * 2 * LONGEST_MINUTES * 60


@every_task
def test_a_task_has_a_time_limit_and_a_retry_for_everything(machine: str, task: str) -> None:
    state = definition(machine)["States"][task]
    assert "TimeoutSeconds" in state or "TimeoutSecondsPath" in state
    assert state["Retry"][-1]["ErrorEquals"] == ["States.ALL"]
    for retrier in state["Retry"]:
        if retrier.get("MaxAttempts") != 0:
            assert retrier["BackoffRate"] > 1
            assert retrier["JitterStrategy"] == "FULL"
            assert retrier["MaxDelaySeconds"] > retrier["IntervalSeconds"]


# How Lambda says that it did not run a function, and Step Functions that no answer came in time (Step Functions
# developer guide, "Handle transient Lambda service exceptions").
OUTAGES = {
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "States.Timeout",
}
# What is written into an execution's history for each try of a task: scheduled, started, failed.
EVENTS_A_TRY = 3


def seconds_of_tries(retrier: Mapping[str, Any], number: int) -> float:
    """How long so many tries take in the mean, of which each waits for half its delay (FULL jitter)."""
    seconds, delay = 0.0, float(retrier["IntervalSeconds"])
    for _ in range(number):
        seconds += delay / 2
        delay = min(delay * retrier["BackoffRate"], retrier["MaxDelaySeconds"])
    return seconds


@every_task_of_a_job
def test_what_lambda_could_not_run_is_tried_again_for_hours(machine: str, task: str) -> None:
    """An account's limit of concurrency, or an outage, is no fault of the request."""
    state = definition(machine)["States"][task]
    if "FunctionName" not in state["Parameters"]:
        return
    for error in OUTAGES:
        retrier = next(each for each in state["Retry"] if {error, "States.ALL"} & set(each["ErrorEquals"]))
        assert error in retrier["ErrorEquals"]
        assert seconds_of_tries(retrier, retrier["MaxAttempts"]) > 24 * 3_600


@pytest.mark.parametrize(
    ("states", "members"),
    [
        (("StartJob", "GetJob", "RetryJob"), ("ResultSelector", "ResultPath", "TimeoutSeconds")),
        (("Mirror", "RetryJob"), ("Retry",)),
        (("AnnounceEnd", "AnnounceNotRetried", "AnnounceRejected"), ("Retry", "TimeoutSeconds", "ResultPath")),
    ],
)
def test_what_states_share_is_the_same_in_each(states: tuple[str, ...], members: tuple[str, ...]) -> None:
    """The language has no names for blocks, so they are written out."""
    first, *others = (definition("JobStateMachine")["States"][state] for state in states)
    for other in others:
        assert {name: other.get(name) for name in members} == {name: first.get(name) for name in members}


def test_tasks_that_start_or_read_a_job_try_again_in_one_rhythm() -> None:
    machine = definition("JobStateMachine")["States"]
    rhythms = [
        [
            {key: value for key, value in retrier.items() if key != "ErrorEquals"}
            for retrier in machine[state]["Retry"][-2:]
        ]
        for state in ("Mirror", "StartJob", "GetJob", "RetryJob")
    ]
    assert all(rhythm == rhythms[0] for rhythm in rhythms)


@the_machine_of_jobs
def test_no_retries_fill_the_history_before_the_execution_ends_anyhow(name: str) -> None:
    """It has room for 25,000 events; what is tried for as long as an execution may last takes fewer."""
    machine = definition(name)
    for state in machine["States"].values():
        for retrier in state.get("Retry", []):
            if retrier.get("MaxAttempts", 0) > 1_000:
                # After the first tries, which are few, each takes half of the longest delay.
                tries = machine["TimeoutSeconds"] / (retrier["MaxDelaySeconds"] / 2)
                assert tries * EVENTS_A_TRY < 22_000
                assert seconds_of_tries(retrier, 20) > 5 * retrier["MaxDelaySeconds"] / 2


@every_task
def test_a_task_outlives_the_function_that_it_invokes(machine: str, task: str) -> None:
    state = definition(machine)["States"][task]
    function = re.search(r"\$\{(\w+)Arn\}", json.dumps(state["Parameters"].get("FunctionName", "")))
    if function is not None:
        timeout = FUNCTIONS[function[1]].get("Timeout", TEMPLATE["Globals"]["Function"]["Timeout"])
        assert state["TimeoutSeconds"] > timeout


@every_machine
def test_every_transition_leads_to_a_state_and_every_state_is_reached(name: str) -> None:
    machine = definition(name)
    reached = set(re.findall(r'"(?:StartAt|Next|Default)": "([^"]+)"', json.dumps(machine)))
    assert reached == set(machine["States"])


@the_machine_of_jobs
def test_a_rejection_succeeds_and_only_our_own_fault_fails(name: str) -> None:
    machine = definition(name)["States"]
    rejections = {"Mirror": "AnnounceRejected", "StartJob": "AnnounceRejected", "RetryJob": "AnnounceNotRetried"}
    for start, announcement in rejections.items():
        rejection = machine[start]["Catch"][0]
        assert rejection["ErrorEquals"] == ["RequestRejected", "Superseded"]
        assert rejection["Next"] == announcement
    assert machine[machine["AnnounceRejected"]["Next"]]["Type"] == "Succeed"
    assert machine["AnnounceNotRetried"]["End"] is True


@the_machine_of_jobs
def test_a_failure_ends_the_execution_in_the_task_that_failed_so_that_a_redrive_runs_it_again(name: str) -> None:
    """A redrive enters a Fail state again, and the execution fails again (Step Functions developer guide, redrive)."""
    machine = definition(name)["States"]
    assert [state for state in machine if machine[state]["Type"] == "Fail"] == []
    needless = {"AnnounceStart", "AwaitChange"}
    caught = {
        state for state in machine for rule in machine[state].get("Catch", []) if rule["ErrorEquals"] == ["States.ALL"]
    }
    assert caught == needless, "only these can be left out while the job is followed to its end"


@the_machine_of_jobs
def test_the_errors_that_the_machine_names_are_those_that_are_raised(name: str) -> None:
    named = set()
    for state in definition(name)["States"].values():
        for rule in [*state.get("Retry", []), *state.get("Catch", [])]:
            named |= set(rule["ErrorEquals"])
    names = {error for error in named if "." not in error}
    assert names == {error.__name__ for error in errors.RetryableError.__subclasses__()} | {
        "RequestRejected",
        "Superseded",
        "AlreadyFollowed",
    }


def test_a_batch_that_fails_is_left_to_the_next_look_and_ends_no_other() -> None:
    batches = definition("ReconcileStateMachine")["States"]["Repositories"]
    task = batches["ItemProcessor"]["States"]["Reconcile"]
    assert task["Catch"] == [{"ErrorEquals": ["States.ALL"], "Next": "LeftToNextExecution"}]
    assert batches["MaxConcurrency"] == 10


@every_machine
def test_every_substitution_is_given_and_used(name: str) -> None:
    text = (REPOSITORY / MACHINES[name]["DefinitionUri"]).read_text(encoding="utf-8")
    substitutions = MACHINES[name]["DefinitionSubstitutions"]
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(substitutions)
    for value in substitutions.values():
        assert attribute(value)[0] in RESOURCES


@every_machine
def test_the_machine_may_invoke_its_functions_and_no_others(name: str) -> None:
    substitutions = MACHINES[name]["DefinitionSubstitutions"]
    invoked = {
        attribute(value) for substitution, value in substitutions.items() if substitution.endswith("FunctionArn")
    }
    allowed = next(each for each in statements(MACHINES[name]) if each["Action"] == "lambda:InvokeFunction")
    assert {attribute(resource) for resource in allowed["Resource"]} == invoked


@the_machine_of_jobs
def test_executions_that_no_state_could_save_are_announced(name: str) -> None:
    (event,) = FUNCTIONS["AnnounceFunction"]["Events"].values()
    pattern = event["Properties"]["Pattern"]
    assert pattern["detail"]["stateMachineArn"] == [{"Ref": name}]
    assert set(pattern["detail"]["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}
