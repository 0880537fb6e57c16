"""How a question is answered: routed, priced, asked of shards or of global indexes, merged."""
