"""Queues and the functions that take from them: in order, with what failed coming again, and an end to that."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local.cloud import LocalCloud
from tests.support.waiting import eventually, messages

Clients = Callable[..., Any]


@pytest.fixture(scope="module")
def sqs(client: Clients) -> Any:
    return client("sqs")


class Line:
    """A group of messages that no other test uses, and the file in which the function writes down what it took."""

    def __init__(self, cloud: LocalCloud, sqs: Any, folder: Path) -> None:
        self.url = cloud.physical_id("Line")
        self.sqs = sqs
        self.file = folder / "taken"
        self.obstacle = folder / "obstacle"
        self.group = uuid4().hex

    def send(self, word: str, **more: Any) -> None:
        body = {"word": word, "file": str(self.file), "obstacle": str(self.obstacle), **more}
        self.sqs.send_message(
            QueueUrl=self.url,
            MessageBody=json.dumps(body),
            MessageGroupId=self.group,
            MessageDeduplicationId=f"{self.group}-{word}",
        )

    def words_of(self, count: int) -> list[str]:
        """The words so far, once there are so many."""

        def enough() -> list[str]:
            lines = self.file.read_text().splitlines() if self.file.exists() else []
            return lines if len(lines) >= count else []

        return [line.split()[0] for line in eventually(enough)]

    def waiting(self, *names: str) -> bool:
        """Whether the queue has any messages by these counts."""
        answer = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=list(names))
        return any(value != "0" for value in answer["Attributes"].values())

    def empty(self) -> bool:
        return not self.waiting("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


@pytest.fixture
def line(cloud: LocalCloud, sqs: Any, tmp_path: Path) -> Line:
    return Line(cloud, sqs, tmp_path)


def test_messages_are_taken_in_order_and_once(line: Line) -> None:
    words = [f"word-{number}" for number in range(25)]
    for word in words:
        line.send(word)
    assert line.words_of(25) == words
    eventually(line.empty)
    assert line.words_of(25) == words


def test_the_same_message_again_is_dropped(line: Line) -> None:
    for word in ("once", "once", "twice"):
        line.send(word)
    assert line.words_of(2) == ["once", "twice"]
    eventually(line.empty)


def test_what_failed_comes_again_in_its_order(line: Line) -> None:
    line.send("first")
    eventually(line.empty)
    line.obstacle.touch()
    for word in ("second", "third", "fourth"):
        line.send(word)
    assert eventually(line.obstacle.read_text) == "second"
    line.obstacle.unlink()
    assert line.words_of(4) == ["first", "second", "third", "fourth"]
    assert "second 1" not in line.file.read_text(), "it was not received more than once"
    eventually(line.empty)


@pytest.mark.parametrize("answer", ["nonsense", {"batchItemFailures": [{"itemIdentifier": "unknown"}]}])
def test_an_answer_that_makes_no_sense_takes_nothing_out(cloud: LocalCloud, sqs: Any, line: Line, answer: Any) -> None:
    line.send("lost", answer=answer)
    [letter] = messages(sqs, cloud.physical_id("LineDeadLetters"))
    assert letter["answer"] == answer


def test_what_always_fails_ends_among_the_dead_letters(cloud: LocalCloud, sqs: Any, line: Line) -> None:
    line.obstacle.touch()
    line.send("never")
    [letter] = messages(sqs, cloud.physical_id("LineDeadLetters"))
    assert letter["word"] == "never"
    line.obstacle.unlink()
    # The line goes on behind it.
    line.send("next")
    assert line.words_of(1) == ["next"]
