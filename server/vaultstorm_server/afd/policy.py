"""The free connections of a listening endpoint: who gets a slot in the accept queue, and who none.

KB142641 gives the four values of the dynamic backlog, KB113576 the static one, KB875417 and
KB903927 what SynAttackProtect changes. Where no source decides, the choice is said beside it.
"""

from msgspec import Struct

from vaultstorm_server.settings import Afd


class QueueStatistics(Struct, frozen=True, kw_only=True):
    """What an accept queue has counted, as of its last event.

    Always ``capacity == free + syn_received + queued`` and
    ``admitted == queued + accepted + abandoned``.
    """

    dynamic: bool
    capacity: int
    """All the connection objects there are: AFD's handles."""
    free: int
    syn_received: int
    """Half-open connections that hold a slot: none with SynAttackProtect."""
    queued: int
    admitted: int
    accepted: int
    abandoned: int
    """Queued when the listener closed."""
    turned_away: int
    growths: int
    created: int
    """Free connections that growth has made."""


class AcceptQueue:
    """The pool of free connections that `listen()` makes, and what each event does to it.

    Every event takes its time as `now`, applies first the growth that is due by then, and costs
    the same however large the pool is.

    Args:
        afd: what the application passed to `listen()`, and the registry values.
        syn_attack_protect: the finished handshake takes a slot, not the SYN.
    """

    __slots__ = (
        "_abandoned",
        "_accepted",
        "_admitted",
        "_backlog",
        "_created",
        "_defect",
        "_dynamic",
        "_free",
        "_growth_due",
        "_growths",
        "_lag",
        "_maximum",
        "_minimum",
        "_protected",
        "_queued",
        "_step",
        "_syn_received",
        "_turned_away",
    )

    def __init__(self, afd: Afd, syn_attack_protect: bool) -> None:
        self._protected = syn_attack_protect
        self._free = self._backlog = min(afd.Backlog, afd.MaximumStaticBacklog) + afd.Slack
        # KB142641: the backlog asked for must be greater than the Minimum. With a Minimum of 0 the
        # free connections can never be fewer, so nothing would ever be made: that stays static.
        self._minimum = afd.MinimumDynamicBacklog
        self._dynamic = bool(afd.EnableDynamicBacklog) and 0 < self._minimum < afd.Backlog
        self._maximum = afd.MaximumDynamicBacklog
        self._defect = bool(afd.KB951162)
        self._step = self._maximum if self._defect else afd.DynamicBacklogGrowthDelta
        self._lag = afd.GrowthLag
        self._growth_due: float | None = None
        self._syn_received = self._queued = 0
        self._admitted = self._accepted = self._abandoned = self._turned_away = 0
        self._growths = self._created = 0

    @property
    def free(self) -> int:
        """Slots that nobody holds."""
        return self._free

    @property
    def full(self) -> bool:
        """Whether the next connection would be turned away."""
        return self._free == 0

    @property
    def queued(self) -> int:
        """Connections that wait for the application."""
        return self._queued

    @property
    def capacity(self) -> int:
        """All slots, free or held."""
        return self._free + self._syn_received + self._queued

    @property
    def growth_due(self) -> float | None:
        """When the queued growth will have run; None when none is queued."""
        return self._growth_due

    def syn(self, now: float) -> bool:
        """Take a SYN: True for a SYN-ACK, False for an RST."""
        self.advance(now)
        if self._protected:  # AFD hears of it when the handshake is done (KB903927)
            return True
        if not self._take(now):
            return False
        self._syn_received += 1
        return True

    def handshake_done(self, now: float) -> bool:
        """Take the end of a handshake: True if it is queued, False for an RST.

        Raises:
            ValueError: without SynAttackProtect, and no handshake is under way.
        """
        self.advance(now)
        if not self._protected:
            self._end_handshake()
        elif not self._take(now):
            return False
        self._queued += 1
        self._admitted += 1
        return True

    def handshake_lost(self, now: float) -> None:
        """Take the end of a half-open connection, by its client's RST or by time.

        Raises:
            ValueError: without SynAttackProtect, and no handshake is under way.
        """
        self.advance(now)
        if not self._protected:
            self._end_handshake()
            self._free += 1

    def arrive(self, now: float) -> bool:
        """Take a whole handshake at once: True if it is queued, False if it is turned away."""
        if self._growth_due is not None:
            self.advance(now)
        if not self._take(now):
            return False
        self._queued += 1
        self._admitted += 1
        return True

    def accept(self, now: float) -> None:
        """Hand the oldest connection to the application.

        Raises:
            ValueError: nothing is queued.
        """
        self._leave(now)
        self._accepted += 1

    def abandon(self, now: float) -> None:
        """Give up a queued connection that the application will not take.

        Raises:
            ValueError: nothing is queued.
        """
        self._leave(now)
        self._abandoned += 1

    def listen_again(self) -> None:
        """Begin as at the first `listen()`, with nothing queued; the counts go on.

        What growth had made is gone, as with the endpoint of an application that has ended.
        """
        self._free = self._backlog
        self._syn_received = self._queued = 0
        self._growth_due = None

    def advance(self, now: float) -> None:
        """Apply the growth that is due by `now`."""
        if self._growth_due is not None and self._growth_due <= now:
            self._grow(self._growth_due, now)

    def statistics(self) -> QueueStatistics:
        """Everything that was counted, as of the last event."""
        return QueueStatistics(
            dynamic=self._dynamic,
            capacity=self.capacity,
            free=self._free,
            syn_received=self._syn_received,
            queued=self._queued,
            admitted=self._admitted,
            accepted=self._accepted,
            abandoned=self._abandoned,
            turned_away=self._turned_away,
            growths=self._growths,
            created=self._created,
        )

    def _take(self, now: float) -> bool:
        if self._free == 0:
            self._turned_away += 1
            return False
        self._free -= 1
        if self._dynamic and self._free < self._minimum and self._growth_due is None:
            self._growth_due = now + self._lag
        return True

    def _leave(self, now: float) -> None:
        self.advance(now)
        if self._queued == 0:
            raise ValueError("nothing is queued")
        self._queued -= 1
        # AfdReplenishListenBacklog puts a connection back on accept (KB124067). No source says how
        # far it does so on a dynamic endpoint: we choose up to the Minimum, growth does the rest.
        if not self._dynamic or self._free < self._minimum:
            self._free += 1

    def _end_handshake(self) -> None:
        if self._syn_received == 0:
            raise ValueError("no handshake is under way")
        self._syn_received -= 1

    def _grow(self, due: float, now: float) -> None:
        """Run the queued worker: at `due`, and again one lag later while it helps and is short.

        The runs up to `now` are done in one step, since nothing else has happened meanwhile.
        """
        self._growth_due = None
        if self._step == 0:
            return
        short = self._minimum - self._free
        runs = wanted = 1 if short <= self._step else -(-short // self._step)
        allowed = wanted  # KB951162 does not look at the Maximum: it creates as many, each time
        if not self._defect:
            # Quasi-free may not exceed the Maximum. A step that would is not made at all, not cut.
            room = self._maximum - self._free - self._syn_received
            allowed = room // self._step if room > 0 else 0
            if allowed < runs:
                runs = allowed
        if self._lag:
            runs = min(runs, int((now - due) / self._lag) + 1)
        made = runs * self._step
        self._free += made
        self._created += made
        self._growths += runs
        if 0 < runs < wanted:
            again = due + runs * self._lag
            if runs < allowed or again > now:
                self._growth_due = again

    def __repr__(self) -> str:
        kind = "dynamic" if self._dynamic else "static"
        return (
            f"<AcceptQueue {kind}, {self.capacity} slots: {self._free} free, "
            f"{self._syn_received} half-open, {self._queued} queued>"
        )
