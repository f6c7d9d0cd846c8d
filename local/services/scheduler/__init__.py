"""EventBridge Scheduler: schedules and their expressions."""
