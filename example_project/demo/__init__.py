"""`make demo` and `make demo-check`: the site and a local Cognito on loopback, with people to sign in as."""
