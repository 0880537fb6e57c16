"""The store over the wire: the same interface as the embedded one, blocking and async."""
