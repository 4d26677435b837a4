"""The burst client: never retries in secret, and names how every attempt ended."""
