"""The clients of ``rpc://`` targets: each activates a component, and calls it (KB960007)."""
