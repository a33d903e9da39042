"""Signed calls to AWS, without boto3: DynamoDB, KMS, secrets.

Laws: docs/laws.md; words: docs/glossary.md.
"""
