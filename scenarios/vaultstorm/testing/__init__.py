"""A real server for your own tests: what the pytest plugin gives, and what it is made of."""

from vaultstorm.testing.server import Server
from vaultstorm.testing.servers import Servers, running_server

__all__ = ["Server", "Servers", "running_server"]
