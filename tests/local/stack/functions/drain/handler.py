"""Takes messages of a queue in their order: writes down each word, unless the message's obstacle is there."""

import json
from pathlib import Path
from typing import Any


def handler(event: dict[str, Any], context: Any) -> Any:
    """Answer which messages could not be taken: from the first with an obstacle on."""
    left = event["Records"]
    while left:
        message = json.loads(left[0]["body"])
        if "answer" in message:
            return message["answer"]
        if Path(message["obstacle"]).exists():
            Path(message["obstacle"]).write_text(message["word"])
            break
        with Path(message["file"]).open("a") as file:
            file.write(f"{message['word']} {left[0]['attributes']['ApproximateReceiveCount']}\n")
        left = left[1:]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in left]}
