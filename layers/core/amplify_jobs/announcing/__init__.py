"""Telling people and programs that a job started, ended or was rejected."""
