"""Keeps a branch of a mirror in step with a repository that Amplify can not reach."""
