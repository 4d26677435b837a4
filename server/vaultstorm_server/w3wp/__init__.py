"""The worker process: the vault ISAPI."""
