"""Rows of `ChallengeSession`: attempts and successes are claimed here, by conditional UPDATEs (laws 2 and 3)."""
