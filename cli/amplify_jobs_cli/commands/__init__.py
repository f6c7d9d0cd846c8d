"""The commands: one module for each group, with its options and what it prints."""
