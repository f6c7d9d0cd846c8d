"""The edges to AWS: the only package that knows its clients."""
