"""What the service works with: requests, operations and their parameters, jobs, results."""
