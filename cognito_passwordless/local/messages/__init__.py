"""What the pool sends, and its inbox."""
