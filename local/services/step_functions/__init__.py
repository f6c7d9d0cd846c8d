"""Step Functions: executions on moto's interpreter."""
