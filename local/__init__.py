"""The local cloud: the project's own template, run whole on one machine without an AWS account."""
