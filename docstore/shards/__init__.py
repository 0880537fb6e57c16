"""One shard: its documents and log in LMDB, its local index, and what follows the log."""
