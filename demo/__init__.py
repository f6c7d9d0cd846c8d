"""The service at work on one machine: a push to a real git repository becomes a job, is followed, and announced."""
