"""Previews: branches of an app that show pull requests; they are made, kept in step with the routes, and taken away."""
