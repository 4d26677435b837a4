"""What both sides must agree on: outcomes, journal records, and the bytes of DCE/RPC.

Nothing here does I/O or reads a clock.
"""
