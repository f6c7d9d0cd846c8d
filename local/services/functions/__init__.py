"""Lambda: functions under AWS's runtime client."""
