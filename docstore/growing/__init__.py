"""Growing: partitions that are split and merged by themselves, as what they hold and take asks."""
