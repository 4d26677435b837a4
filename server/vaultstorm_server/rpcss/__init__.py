"""RPCSS and the object exporters: DCOM activation over ncacn_ip_tcp."""
