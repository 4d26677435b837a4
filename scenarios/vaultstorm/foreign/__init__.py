"""Other people's servers: how they are started, made ready, acted on and ended."""
