"""Pools, people and tokens, on moto's backend."""
