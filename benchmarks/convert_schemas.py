"""What our conversion makes of GraphQL schemas, in a process of its own, as aws_generic_data_schema.mjs does for AWS's.

JSON lines in ({"schema"}), JSON lines out ({"genericDataSchema", "milliseconds"}).
"""

from __future__ import annotations

import json
import sys
import time

from amplify_jobs.graphql.convert import convert_schema


def main() -> None:
    for line in sys.stdin:
        began = time.perf_counter()
        schema = convert_schema(json.loads(line)["schema"]).schema.model_dump(
            mode="json", by_alias=True, exclude_none=True
        )
        took = (time.perf_counter() - began) * 1000
        print(json.dumps({"genericDataSchema": schema, "milliseconds": took}), flush=True)


if __name__ == "__main__":
    main()
