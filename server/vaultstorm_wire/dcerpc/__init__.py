"""DCE/RPC over TCP (C706, MS-RPCE) and the DCOM interfaces (MS-DCOM) that are spoken over it."""
