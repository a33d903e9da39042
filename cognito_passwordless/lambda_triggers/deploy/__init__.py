"""The zip and the template. Tools for the developer: no Lambda function imports them."""
