"""Functions run as on AWS, whatever happens to their processes."""

from __future__ import annotations

import base64
import json
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from local.cloud import LocalCloud
from local.services.functions.pool import EnvironmentPool
from local.services.functions.service import MAX_ENVIRONMENTS
from tests.support.waiting import eventually, messages

Clients = Callable[..., Any]


@pytest.fixture(scope="module")
def functions(client: Clients) -> Any:
    return client("lambda")


def invoke(functions: Any, name: str, event: Any, **more: Any) -> tuple[Any, str | None]:
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event), **more)
    return json.load(answer["Payload"]), answer.get("FunctionError")


def is_running(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        # A zombie answers the signal, too.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_a_function_sees_its_template_and_the_local_cloud(cloud: LocalCloud, functions: Any) -> None:
    seen, error = invoke(functions, "small-probe", {"do": "describe"})
    assert error is None
    assert seen["word"] == "layered"
    assert seen["name"] == "small-probe"
    assert seen["arn"] == f"arn:aws:lambda:{cloud.region}:{cloud.account}:function:small-probe"
    assert 0 < seen["remaining"] <= 2000
    expected = {
        "GREETING": "hello",
        "POLITE": "yes",
        "TABLE": cloud.physical_id("Table"),
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_LAMBDA_FUNCTION_NAME": "small-probe",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_REGION": cloud.region,
        "_HANDLER": "handler.handler",
    }
    assert {name: seen["variables"].get(name) for name in expected} == expected


def test_a_warm_function_keeps_its_process(functions: Any) -> None:
    first, _ = invoke(functions, "small-patient", {"do": "describe"})
    second, _ = invoke(functions, "small-patient", {"do": "describe"})
    assert second["pid"] == first["pid"]
    assert second["calls"] == first["calls"] + 1


def test_an_exception_is_the_function_s_error(functions: Any) -> None:
    error, kind = invoke(functions, "small-probe", {"do": "raise", "message": "so wrong"})
    assert kind == "Unhandled"
    assert (error["errorType"], error["errorMessage"]) == ("WrongError", "so wrong")
    assert error["stackTrace"]


def test_what_runs_too_long_is_ended_with_all_that_it_started(functions: Any, tmp_path: Path) -> None:
    file = tmp_path / "child"
    error, kind = invoke(functions, "small-probe", {"do": "spawn", "file": str(file)})
    assert kind == "Unhandled"
    assert error["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 2.00 seconds" in error["errorMessage"]
    child = int(file.read_text())
    eventually(lambda: not is_running(child))


@pytest.mark.parametrize(
    ("code", "message"),
    [(0, "Runtime exited without providing a reason"), (7, "Runtime exited with error: exit status 7")],
)
def test_a_process_that_ends_is_the_function_s_error(functions: Any, code: int, message: str) -> None:
    error, kind = invoke(functions, "small-patient", {"do": "exit", "code": code})
    assert kind == "Unhandled"
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith(message)
    assert invoke(functions, "small-patient", {"after": "that"}) == ({"after": "that"}, None)


def test_a_process_killed_while_it_works_is_the_function_s_error(functions: Any, tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        event = {"do": "sleep", "seconds": 25, "file": str(tmp_path / "working")}
        pending = pool.submit(invoke, functions, "small-patient", event)
        file = tmp_path / "working"
        eventually(lambda: file.exists() and file.read_text())
        os.kill(int(file.read_text()), signal.SIGKILL)
        error, kind = pending.result()
    assert kind == "Unhandled"
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith("Runtime exited with error: signal: killed")


def test_a_process_killed_while_idle_swallows_no_event(cloud: LocalCloud, functions: Any) -> None:
    for number in range(5):
        invoke(functions, "small-patient", {"warm": "up"})
        for pid in cloud.functions.pids("small-patient"):
            os.kill(pid, signal.SIGKILL)
        assert invoke(functions, "small-patient", {"number": number}) == ({"number": number}, None)


def test_a_function_that_can_t_be_imported_says_so(functions: Any) -> None:
    error, kind = invoke(functions, "small-broken", {})
    assert kind == "Unhandled"
    assert error["errorType"] == "Runtime.ImportModuleError"
    assert "nowhere" in error["errorMessage"]


def test_more_events_than_processes_wait_for_their_turn(cloud: LocalCloud, functions: Any) -> None:
    with ThreadPoolExecutor(max_workers=40) as pool:
        answers = list(pool.map(lambda n: invoke(functions, "small-patient", {"n": n}), range(40)))
    assert answers == [({"n": n}, None) for n in range(40)]
    assert len(cloud.functions.pids("small-patient")) <= MAX_ENVIRONMENTS


@pytest.fixture
def busy(functions: Any, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Has every process of small-patient hold an event, until it is called."""
    here, leave = tmp_path / "here", tmp_path / "leave"
    here.mkdir()
    with ThreadPoolExecutor(MAX_ENVIRONMENTS) as pool:
        event = {"do": "hold", "folder": str(here), "until": str(leave)}
        held = [pool.submit(invoke, functions, "small-patient", event) for _ in range(MAX_ENVIRONMENTS)]
        eventually(lambda: len(list(here.iterdir())) == MAX_ENVIRONMENTS)
        yield leave.touch
        leave.touch()
        assert [one.result() for one in held] == [(event, None)] * MAX_ENVIRONMENTS


def test_an_event_whose_sender_hung_up_before_its_turn_is_not_run(
    client: Clients, functions: Any, busy: Callable[[], None], tmp_path: Path
) -> None:
    file = tmp_path / "ran"
    with pytest.raises(ReadTimeoutError):
        invoke(client("lambda", read_timeout=0.5), "small-patient", {"do": "count", "file": str(file)})
    busy()
    # Whoever comes later has his turn later.
    assert invoke(functions, "small-patient", {"n": 1}) == ({"n": 1}, None)
    assert not file.exists()


def test_who_waits_for_a_process_gets_one_in_the_order_of_coming(cloud: LocalCloud) -> None:
    pool = EnvironmentPool(lambda: cloud.functions._start(cloud.functions.function("small-patient")), 1)
    order: list[int] = []

    def run(number: int) -> None:
        environment = pool.acquire(lambda: True)
        order.append(number)
        pool.release(environment)

    held = pool.acquire(lambda: True)
    with ThreadPoolExecutor(12) as threads:
        for number in range(12):
            threads.submit(run, number)
            eventually(partial(_are_waiting, pool, number + 1))
        pool.release(held)
    pool.close()
    assert order == list(range(12))


def _are_waiting(pool: EnvironmentPool, count: int) -> bool:
    return len(pool._waiting) == count


def test_events_run_at_the_same_time(functions: Any, tmp_path: Path) -> None:
    # Each waits for the other two: one after the other, they would only end at the time limit.
    event = {"do": "meet", "folder": str(tmp_path), "count": 3}
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda _: invoke(functions, "small-patient", event), range(3)))
    assert answers == [(event, None)] * 3


def test_failed_events_are_tried_three_times_and_then_recorded(
    cloud: LocalCloud, client: Clients, functions: Any, tmp_path: Path
) -> None:
    file = tmp_path / "calls"
    event = {"do": "count", "file": str(file), "fail": True}
    answer = functions.invoke(FunctionName="small-fragile", InvocationType="Event", Payload=json.dumps(event))
    assert answer["StatusCode"] == 202
    [record] = messages(client("sqs"), cloud.physical_id("DeadLetters"))
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert file.read_text().split() == [request_id] * 3
    assert record["requestContext"] == {
        "requestId": request_id,
        "functionArn": f"arn:aws:lambda:{cloud.region}:{cloud.account}:function:small-fragile:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }
    assert record["requestPayload"] == event
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert record["responsePayload"]["errorType"] == "WrongError"


def test_a_good_event_runs_once_and_leaves_no_record(
    cloud: LocalCloud, client: Clients, functions: Any, tmp_path: Path
) -> None:
    file = tmp_path / "calls"
    event = {"do": "count", "file": str(file)}
    functions.invoke(FunctionName="small-fragile", InvocationType="Event", Payload=json.dumps(event))
    eventually(lambda: file.exists() and file.read_text())
    invoke(functions, "small-fragile", {})
    assert len(file.read_text().split()) == 1
    assert "Messages" not in client("sqs").receive_message(QueueUrl=cloud.physical_id("DeadLetters"))


def test_a_function_calls_aws_at_the_endpoint(cloud: LocalCloud, client: Clients, functions: Any) -> None:
    assert invoke(functions, "small-probe", {"do": "table", "key": "by the function"})[1] is None
    item = client("dynamodb").get_item(TableName=cloud.physical_id("Table"), Key={"pk": {"S": "by the function"}})
    assert item["Item"] == {"pk": {"S": "by the function"}}


def test_output_is_kept_and_readable(cloud: LocalCloud, functions: Any) -> None:
    answer = functions.invoke(FunctionName="small-probe", LogType="Tail", Payload=json.dumps({"do": "describe"}))
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert "said on standard output" in tail
    with urlopen(f"{cloud.endpoint_url}/_local/logs/functions/small-probe") as page:
        assert tail in page.read().decode()


@pytest.mark.parametrize(
    ("name", "more", "code"),
    [
        ("missing", {}, "ResourceNotFoundException"),
        ("small-probe", {"Qualifier": "7"}, "ResourceNotFoundException"),
        ("small-probe", {"Payload": b"no json"}, "InvalidRequestContentException"),
        ("small-probe", {"Payload": b'"' + b"x" * 7_000_000 + b'"'}, "RequestTooLargeException"),
        (
            "small-probe",
            {"InvocationType": "Event", "Payload": b'"' + b"x" * 1_100_000 + b'"'},
            "RequestTooLargeException",
        ),
    ],
)
def test_what_lambda_refuses(functions: Any, name: str, more: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        functions.invoke(FunctionName=name, **more)
    assert refused.value.response["Error"]["Code"] == code


def test_a_result_may_not_be_too_large(functions: Any) -> None:
    error, kind = invoke(functions, "small-patient", {"do": "large", "size": 7_000_000})
    assert (error["errorType"], kind) == ("Function.ResponseSizeTooLarge", "Unhandled")


def test_functions_are_listed_and_described(cloud: LocalCloud, functions: Any) -> None:
    names = [function["FunctionName"] for function in functions.list_functions()["Functions"]]
    assert names == ["small-broken", "small-drain", "small-fragile", "small-patient", "small-probe"]
    configuration = functions.get_function(FunctionName="small-probe")["Configuration"]
    assert (configuration["Timeout"], configuration["Handler"]) == (2, "handler.handler")


def test_other_operations_are_refused_by_name(functions: Any) -> None:
    with pytest.raises(ClientError, match="GetAccountSettings is not implemented by the local cloud"):
        functions.get_account_settings()
