"""The worker process: the vault ISAPI, its interface table and its block store."""
