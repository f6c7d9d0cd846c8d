"""Requests too large for an execution's input: an object in the bucket has most of their parameters."""

from __future__ import annotations

import json
from typing import Any

from amplify_jobs.model.request import COMMIT_MESSAGE_LIMIT, Cause, JobRequest
from amplify_jobs.text import shortened

# Step Functions takes 262,144 bytes of input and of what states pass on: the request with what its job left, which has
# at most as much (results.py: RESULTS_BYTES).
INPUT_LIMIT = 100_000
# Small members stay, so that logs and announcements can name the app and the branch or environment.
_SMALL = 256
_NAMES = ("appId", "AppId", "branchName", "environmentName", "BackendEnvironmentName")
_MOST_SMALL = 100
_FAULT_LIMIT = 5_000
# Longer than the name of a reference, a repository or a person.
_CAUSE_LIMIT = 1_100
PARAMETERS_LIMIT = 20 * 1024 * 1024


def is_too_large(execution_input: str) -> bool:
    """Say whether an execution's input has to be made smaller."""
    return len(execution_input.encode()) > INPUT_LIMIT


def parameters_key(request: JobRequest) -> str:
    """The key, in the stack's bucket, of the parameters that do not fit into a request."""
    return f"requests/{request.request_id}.json"


def with_short_texts(request: JobRequest) -> JobRequest:
    """Shorten the texts of a request's cause and fault, on which no job depends."""
    limits = {"message": COMMIT_MESSAGE_LIMIT}
    texts = {
        name: shortened(value, limits.get(name, _CAUSE_LIMIT))
        for name in Cause.model_fields
        if isinstance(value := getattr(request.cause, name), str)
    }
    fault = request.fault and shortened(request.fault, _FAULT_LIMIT)
    return request.model_copy(update={"cause": request.cause.model_copy(update=texts), "fault": fault})


def split_parameters(request: JobRequest, uri: str) -> tuple[JobRequest, str]:
    """Split large parameters from a request: give the request, which references them at `uri`, and them as JSON."""
    small = _small_parameters(request)
    large = {name: value for name, value in request.parameters.items() if name not in small}
    return request.model_copy(update={"parameters": small, "parameters_uri": uri}), json.dumps(large)


def join_parameters(request: JobRequest, large: dict[str, Any]) -> JobRequest:
    """Join what was split; a parameter in the request itself counts."""
    return request.model_copy(update={"parameters": {**large, **request.parameters}})


def with_too_large_fault(request: JobRequest) -> JobRequest:
    """Mark a request to be rejected that references parameters already: it can't reference further ones."""
    fault = (
        f"parameters: beside parametersUri, the rest of a request may have {INPUT_LIMIT} bytes; "
        "put large parameters into the object that parametersUri names"
    )
    changes = {"parameters": _small_parameters(request), "parameters_uri": None, "fault": request.fault or fault}
    return request.model_copy(update=changes)


def _small_parameters(request: JobRequest) -> dict[str, Any]:
    small = [
        name
        for name in sorted(request.parameters, key=lambda name: name not in _NAMES)
        if len(json.dumps(name)) + len(json.dumps(request.parameters[name])) <= _SMALL
    ][:_MOST_SMALL]
    return {name: request.parameters[name] for name in small}
