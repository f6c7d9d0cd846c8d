"""Requests and deliveries as the jobs API knows them: read, chosen, waited for, shown."""
