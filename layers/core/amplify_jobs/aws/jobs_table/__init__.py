"""The jobs table: records of jobs, leases of branches, and which job a request became. keys.py lists its items."""
