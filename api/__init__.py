"""The door: the command line over the public Python API. It imports docstore, never the reverse."""
