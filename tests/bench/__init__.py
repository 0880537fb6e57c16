"""The benchmark: the store beside bare tantivy-py on the same documents in the same run."""
