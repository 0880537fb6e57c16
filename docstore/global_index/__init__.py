"""Term-partitioned indexes over all shards of a collection, kept by an asynchronous updater."""
