"""What locust does in the bench: FastHttpUser, without a pause, certificates unchecked."""

import locust  # type: ignore[import-not-found]


class Asker(locust.FastHttpUser):  # type: ignore[misc]
    """Asks for the same page on its own connection, again and again."""

    insecure = True
    wait_time = locust.constant(0)

    @locust.task  # type: ignore[untyped-decorator]
    def ask(self) -> None:
        """Send one GET."""
        self.client.get("/")
