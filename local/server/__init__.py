"""HTTP: the server, who may call it, AWS's protocols, and fault injection."""
