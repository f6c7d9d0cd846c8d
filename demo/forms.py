"""The act after the pushes: AWS's code generator makes forms of a GraphQL schema, where Node is there to run it."""

from __future__ import annotations

import json
import time

from demo.screen import Screen
from demo.stage import Stage
from demo.watching import Watcher
from local.codegen import INSTALLATION, Generator, GeneratorError

PATIENCE_SECONDS = 600
SCHEMA = """\
type Post @model {
  id: ID!
  title: String!
  rating: Rating
}

enum Rating {
  GOOD
  BAD
}
"""


def generate_forms(stage: Stage, watcher: Watcher, screen: Screen) -> None:
    """Request forms for a GraphQL schema, and show the job. Raises RuntimeError if nothing is announced."""
    screen.head(4, "A GraphQL schema becomes forms")
    generator = Generator()
    if (hindrance := generator.hindrance()) is not None:
        screen.line(f"No codegen job is shown. {hindrance}.")
        return
    if not generator.is_installed():
        screen.line(f"{INSTALLATION} ...")
        try:
            with screen.step("AWS's code generators"):
                generator.install()
        except GeneratorError as error:
            screen.line(f"No codegen job is shown. {error}")
            return
    screen.line(f"A direct invoke of {stage.function_arn.rpartition(':')[2]} requests forms for a schema:")
    for line in SCHEMA.splitlines():
        screen.line(f"  {line}".rstrip(), "dim")
    job = {"renderConfig": {"react": {"script": "jsx"}}, "autoGenerateForms": True, "graphqlSchema": SCHEMA}
    parameters = {"appId": stage.app_id, "environmentName": "dev", "codegenJobToCreate": job}
    request = {"operation": "start_codegen_job", "parameters": parameters}
    stage.session.client("lambda").invoke(FunctionName=stage.function_arn, Payload=json.dumps(request).encode())
    deadline = time.monotonic() + PATIENCE_SECONDS
    if watcher.next_end(lambda: time.monotonic() < deadline) is None:
        raise RuntimeError(f"Nothing was announced within {PATIENCE_SECONDS} s")
