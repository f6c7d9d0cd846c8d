"""Start, follow and announce AWS Amplify jobs from any event."""
