"""Generates the forms of a number of models, in a process of its own: `python -m benchmarks.generate_forms MODELS`.

Prints the seconds that it took and the most memory, in MB, that Node needed for it.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from amplify_jobs.graphql.convert import convert_schema
from local.codegen import Generator

MODEL = "type Model{number} @model {{ title: String! text: String count: Int price: Float done: Boolean on: AWSDate }}"


def main() -> None:
    sdl = "\n".join(MODEL.format(number=number) for number in range(int(sys.argv[1])))
    order = {
        "renderConfig": {
            "react": {
                "module": "es2020",
                "target": "es2020",
                "script": "jsx",
                "renderTypeDeclarations": True,
                "dependencies": {"aws-amplify": "^6.0.0"},
            }
        },
        "genericDataSchema": convert_schema(sdl).schema.model_dump(mode="json", by_alias=True, exclude_none=True),
        "autoGenerateForms": True,
    }
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        code = Generator().generate_ui(order, Path(folder))
        seconds = time.perf_counter() - began
    forms = {file.schema_name for file in code.files if file.schema_name.endswith("Form")}
    megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(json.dumps({"forms": len(forms), "seconds": seconds, "megabytes": megabytes}))


if __name__ == "__main__":
    main()
