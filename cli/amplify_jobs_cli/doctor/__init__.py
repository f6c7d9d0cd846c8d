"""Looks at a deployed stack from every side: `reading` reads, `judging` decides what is wrong and what to do."""
