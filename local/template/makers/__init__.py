"""How each type of resource is made: a module for each kind, and in it a table of the types."""
