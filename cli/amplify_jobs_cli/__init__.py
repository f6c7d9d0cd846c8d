"""The command line of amplify-jobs."""
