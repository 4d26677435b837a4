"""HTTP.SYS: TLS and HTTP connections, the request queue and the HTTPERR log."""
