"""Dead letters, and executions that failed: list, replay, redrive."""
