"""Which way to partition, and which global indexes, suit the questions that a store is asked."""
