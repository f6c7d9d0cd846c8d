"""The template's policies, evaluated for each call."""
