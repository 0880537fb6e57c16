"""How the partition map changes beside the traffic: splits, merges, salts, and their copies."""
