"""How much a sign-in by code costs, ours and allauth's, side by side: ``python -m benchmarks``."""
