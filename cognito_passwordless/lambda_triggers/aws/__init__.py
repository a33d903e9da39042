"""Signed calls to AWS, without boto3: DynamoDB, KMS, secrets."""
