"""What a pool, a client and an AWS account are set up to do; only the doctor asks."""
