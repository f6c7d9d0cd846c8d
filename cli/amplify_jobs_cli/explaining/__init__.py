"""What routes make of a recorded event, and why."""
