"""What several tiers of tests share: second implementations of the fabric's ports."""
