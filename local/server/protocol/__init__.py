"""AWS's wire protocols, seen from the server's side and driven by botocore's own service models."""
