"""`make run`: see showing.py."""

from __future__ import annotations

import sys

from local.server.interrupts import die_silently

if __name__ == "__main__":
    # Before all the imports, which take a second.
    die_silently()
    from demo.showing import main
    from local.server.broken_pipe import until_nobody_reads

    sys.exit(until_nobody_reads(main))
