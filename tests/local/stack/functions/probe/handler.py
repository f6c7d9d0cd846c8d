"""Does what its event says, so that tests can see everything that a function may do."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
from from_the_layer import WORD  # type: ignore[import-not-found]

CALLS = 0


class WrongError(Exception):
    """An error of a name of its own."""


def handler(event: dict[str, Any], context: Any) -> Any:
    """Act on `do`; without it, answer the event as it came."""
    global CALLS
    CALLS += 1
    match event.get("do"):
        case "raise":
            raise WrongError(event.get("message", "it is wrong"))
        case "sleep":
            if "file" in event:
                Path(event["file"]).write_text(str(os.getpid()))
            time.sleep(event["seconds"])
        case "exit":
            os._exit(event["code"])
        case "spawn":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            Path(event["file"]).write_text(str(child.pid))
            time.sleep(600)
        case "meet":
            (Path(event["folder"]) / context.aws_request_id).touch()
            while len(list(Path(event["folder"]).iterdir())) < event["count"]:
                time.sleep(0.01)
        case "hold":
            (Path(event["folder"]) / context.aws_request_id).touch()
            while not Path(event["until"]).exists():
                time.sleep(0.01)
        case "count":
            with Path(event["file"]).open("a") as file:
                file.write(f"{context.aws_request_id}\n")
            if event.get("fail"):
                raise WrongError("counted, and failed")
        case "describe":
            print("said on standard output")  # noqa: T201
            return {
                "pid": os.getpid(),
                "calls": CALLS,
                "word": WORD,
                "variables": dict(os.environ),
                "remaining": context.get_remaining_time_in_millis(),
                "arn": context.invoked_function_arn,
                "name": context.function_name,
            }
        case "table":
            boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item={"pk": {"S": event["key"]}})
        case "large":
            return "x" * event["size"]
        case "answer":
            return event["answer"]
    return event
