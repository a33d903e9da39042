"""Read how a pool, a client and an AWS account are set up. The doctor and the importer use it."""
