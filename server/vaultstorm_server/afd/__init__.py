"""AFD.SYS: the accept queue in front of the application."""
