"""Following a job to its end, and collecting its results."""
