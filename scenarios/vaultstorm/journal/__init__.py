"""Execution journals for any server: did this request run?

Wrap the application in `ASGIJournal` or `WSGIJournal`, or let `access_log` read what a server has
logged. The imports are few and light, as they become part of somebody else's application.
"""

from vaultstorm.journal.asgi import ASGIJournal
from vaultstorm.journal.wsgi import WSGIJournal

__all__ = ["ASGIJournal", "WSGIJournal"]
