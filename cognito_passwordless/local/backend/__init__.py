"""The pools themselves, on moto's."""
