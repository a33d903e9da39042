"""What a site decides about federated users and tokens."""
