"""From template.yaml to the resources of the local cloud."""
