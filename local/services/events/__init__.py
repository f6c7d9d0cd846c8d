"""EventBridge: buses, rules, patterns and targets."""
