"""Amazon Q Developer in chat applications as a subscriber of a topic: it shows custom notifications, and nothing else.

Source: https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html. On AWS nobody is told what is not
shown; here the answer says why.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from local.report_hosts.calls import HostAnswer, HostCall

Text = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class Content(_Part):
    """What people see."""

    description: Text
    text_type: Literal["client-markdown"] = "client-markdown"
    title: Text | None = None
    next_steps: list[Text] = []
    keywords: list[Text] = []


class Metadata(_Part):
    """What groups messages, and what actions have as variables."""

    thread_id: Text | None = None
    summary: Text | None = None
    event_type: Text | None = None
    related_resources: list[Text] = []
    additional_context: dict[str, str] = {}
    enable_custom_actions: bool = True


class CustomNotification(_Part):
    """The schema, version 1.0."""

    version: Literal["1.0"]
    source: Literal["custom"]
    id: Text | None = None
    content: Content
    metadata: Metadata = Field(default_factory=Metadata)


class AmazonQ:
    """Takes what a topic delivers."""

    def answer(self, call: HostCall) -> HostAnswer:
        """Answer a delivery of SNS over HTTP; a confirmation of the subscription has nothing to show."""
        if call.method != "POST":
            return HostAnswer(405, {"message": "a topic delivers with POST"})
        if call.text("Type") != "Notification":
            return HostAnswer(200)
        try:
            CustomNotification.model_validate_json(call.text("Message"))
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
            return HostAnswer(400, {"message": f"not shown: {faults}"})
        return HostAnswer(200)
