"""The console: pages about apps, jobs and deliveries, made from the answers of the stack's API.

It imports nothing of the service or of the command line, so that the local cloud can serve the same pages.
"""
