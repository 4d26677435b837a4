"""The drawings of the articles and tasks."""

from docs.generator.drawing import Drawing


def burst() -> str:
    """Draw KB960007: what stands between a SYN and the application's accept()."""
    d = Drawing(
        "burst",
        (760, 330),
        "The accept backlog of KB960007",
        "A hundred threads connect at once. AFD.SYS holds ten connections for the application, "
        "which takes them one by one; the eleventh and all after it are answered with RST.",
    )
    for nth, y in enumerate((40, 84, 128)):
        d.box(20, y, 120, 34, ("thread 1", "thread 2", "…")[nth])
        d.line(f"M140 {y + 17}C190 {y + 17} 190 {100 + nth * 6} 238 {100 + nth * 6}")
    d.box(20, 172, 120, 34, "thread 11", kind="bad")
    d.box(20, 216, 120, 34, "… thread 100", kind="bad")
    d.text(190, 52, "100 SYNs", style="small soft", anchor="middle")
    d.text(392, 52, "AFD.SYS: accept queue", style="strong", anchor="middle")
    d.text(392, 72, "listen(10): MaxCalls of COM", style="small soft", anchor="middle")
    for nth in range(10):
        d.box(240 + nth * 31, 88, 26, 44, str(nth + 1), kind="good")
    d.line("M548 110L618 110", kind="good")
    d.text(583, 100, "accept()", style="small code", anchor="middle")
    d.box(620, 78, 124, 64, "application", "one at a time")
    d.line("M140 189C210 189 250 186 300 186", kind="bad")
    d.line("M140 233C210 233 250 192 300 192", kind="bad")
    d.box(302, 166, 180, 48, "no free slot", "answered with RST", kind="bad")
    d.line("M392 214L392 242", kind="bad")
    d.line("M392 242L250 258", kind="bad")
    d.line("M392 242L534 258", kind="bad")
    d.box(120, 260, 260, 56, "SynAttackProtect = 0", "RST to the SYN: 0x800706BA")
    d.box(404, 260, 260, 56, "SynAttackProtect = 1 (SP1)", "handshake, then RST: 0x800706BF")
    return str(d)


def recycle() -> str:
    """Draw KB908739: the window between the order to end and the closed handle."""
    d = Drawing(
        "recycle",
        (760, 420),
        "The window of KB908739",
        "A connection is bound to the old worker. Between the moment that worker is told to shut "
        "down and the moment its handle is closed, http.sys still sends it the connection's next "
        "request, and nobody answers. With the hotfix the request goes to the new worker.",
    )
    columns = {"client": 90, "http.sys": 300, "old worker": 500, "new worker": 670}
    for name, x in columns.items():
        d.box(x - 62, 14, 124, 34, name)
        d.line(f"M{x} 48L{x} 404", head=False, dashed=True)
    d.box(492, 148, 16, 168, kind="bad")
    d.line("M90 78L296 78")
    d.text(195, 70, "request 1", style="small", anchor="middle")
    d.line("M300 86L496 86")
    d.line("M500 106L94 116", kind="good")
    d.text(195, 104, "200", style="small good", anchor="middle")
    d.text(516, 91, "bound to it", style="small soft")
    d.line("M300 148L488 148")
    d.text(396, 140, "told to shut down", style="small strong", anchor="middle")
    d.text(516, 170, "takes no request", style="small bad")
    d.text(516, 187, "any more, and is", style="small bad")
    d.text(516, 204, "still in the list", style="small bad")
    d.line("M90 218L296 218")
    d.text(195, 210, "request 2, kept connection", style="small", anchor="middle")
    d.line("M300 226L488 226", kind="bad")
    d.text(396, 244, "sent to it all the same", style="small bad", anchor="middle")
    d.line("M300 262L666 262", kind="good", dashed=True)
    d.text(396, 280, "with the hotfix: to the next", style="small good", anchor="middle")
    d.line("M500 316L304 316")
    d.text(396, 308, "process handle closed", style="small strong", anchor="middle")
    d.line("M300 326L94 336", kind="bad")
    d.text(195, 322, "closed, no answer", style="small bad", anchor="middle")
    d.line("M90 366L296 366")
    d.text(195, 358, "request on a new connection", style="small", anchor="middle")
    d.line("M300 374L666 374")
    d.line("M670 390L94 400", kind="good")
    d.text(195, 389, "200", style="small good", anchor="middle")
    return str(d)


def reentrance() -> str:
    """Draw TECH39579: two methods inside one entry, and the clean-up that comes between."""
    d = Drawing(
        "reentrance",
        (760, 400),
        "The shortest interleaving of TECH39579",
        "Two methods are inside one interface entry. The first to leave resets the entry's in-use "
        "flag, DoCleanUp releases the entry under the second, whose next touch of it fails. "
        "A reference count would have said one, and spared it.",
    )
    rows = (
        ("1", "method 1 enters", "set", "1", ""),
        ("2", "method 2 enters: re-entrance", "set", "2", ""),
        ("3", "method 1 leaves", "reset", "1", "bad"),
        ("4", "DoCleanUp runs", "releases the entry", "1: spared", "bad"),
        ("5", "method 2 touches its entry", "exception", "goes on", "bad"),
        ("6", "DoCleanUp runs", "fails; is dead", "1: spared", "bad"),
    )
    d.text(150, 30, "what happens", style="strong")
    d.text(478, 30, "the flag “in use”", style="strong", anchor="middle")
    d.text(660, 30, "a reference count", style="strong", anchor="middle")
    d.line("M52 63L52 159", head=False)
    d.line("M96 111L96 255", head=False)
    d.text(52, 176, "method 1", style="small soft", anchor="middle")
    d.text(96, 272, "method 2", style="small soft", anchor="middle")
    for nth, (step, what, flag, count, kind) in enumerate(rows):
        y = 46 + nth * 48
        inside = 52 if nth in (0, 2) else 96 if nth in (1, 4) else None
        if inside:
            d.line(f"M{inside} {y + 17}L138 {y + 17}", head=False, dashed=True)
        d.text(120, y + 12, step, style="small soft", anchor="end")
        d.text(150, y + 22, what)
        d.box(392, y, 172, 34, flag, kind=kind)
        d.box(590, y, 140, 34, count, kind="good")
    d.text(
        392,
        352,
        "From here nothing releases an entry: the table fills up,",
        style="small bad",
    )
    d.text(392, 370, "whoever opens an interface waits and holds a thread,", style="small bad")
    d.text(392, 388, "and the pool hangs while port 443 goes on answering.", style="small bad")
    return str(d)


def phases() -> str:
    """Draw how far an attempt can come, and what may end it there."""
    d = Drawing(
        "phases",
        (760, 210),
        "The phases of an attempt",
        "connect, tls, send, wait, receive, in this order. Up to and with send the request "
        "cannot have run; from wait on it may have.",
    )
    phases = (
        ("connect", "SYN, SYN-ACK"),
        ("tls", "handshake"),
        ("send", "the request"),
        ("wait", "no byte yet"),
        ("receive", "the answer"),
    )
    for nth, (name, what) in enumerate(phases):
        x = 20 + nth * 126
        d.box(x, 40, 108, 58, name, what, kind="bad" if nth > 2 else "")
        d.line(f"M{x + 108} 69L{x + 124} 69")
    d.box(650, 40, 92, 58, "ok", "or http.503", kind="good")
    d.line("M20 124L380 124", head=False)
    d.line("M398 124L632 124", kind="bad", head=False)
    d.text(200, 146, "it cannot have run", style="small", anchor="middle")
    d.text(
        515,
        146,
        "it may have run: only the server's records tell",
        style="small bad",
        anchor="middle",
    )
    d.text(20, 182, "each can end by", style="small soft")
    d.text(124, 182, "refused  timeout  reset  closed  rejected  malformed  local", style="code")
    return str(d)


def joined() -> str:
    """Draw how both sides' records become causes and verdicts."""
    d = Drawing(
        "joined",
        (760, 300),
        "How a run finds out what happened",
        "The client writes down every attempt, the server every request and every connection it "
        "turned away, the worker every execution before its answer leaves. They are joined by "
        "request id into run.db, which gives each attempt a cause and a verdict.",
    )
    d.box(20, 24, 170, 56, "client", "one record per attempt")
    d.box(295, 24, 170, 56, "server", "per request, per reset")
    d.box(556, 24, 190, 56, "worker or application", "per execution")
    d.line("M190 44L293 44")
    d.text(242, 36, "X-Request-Id", style="small code", anchor="middle")
    d.line("M465 44L554 44")
    d.line("M556 64L467 64", kind="good")
    d.line("M293 64L192 64", kind="good")
    for x in (105, 380, 655):
        d.line(f"M{x} 80L{x} 116")
        d.box(x - 75, 118, 150, 34, "journal, NDJSON")
    d.line("M105 152C105 184 260 178 316 192")
    d.line("M380 152L380 190")
    d.line("M655 152C655 184 500 178 444 192")
    d.box(300, 192, 160, 40, "run.db")
    d.line("M300 212L192 244")
    d.line("M460 212L568 244")
    d.box(20, 240, 170, 48, "cause", "of every failure")
    d.box(570, 240, 170, 48, "verdict", "once, never, twice, ?")
    d.text(380, 268, "joined by request id", style="small soft", anchor="middle")
    return str(d)


def client_under_test() -> str:
    """Draw a run with somebody else's client."""
    d = Drawing(
        "client-under-test",
        (760, 250),
        "Somebody else's client under test",
        "vaultstorm starts its server with a defect and then your program. What the client did is "
        "read from the server's journals: what was received once or again, what was executed "
        "twice, what was given up.",
    )
    d.box(20, 30, 180, 60, "your client", "as it is, unchanged")
    d.box(420, 30, 180, 60, "vaultstorm serve", "one defect per variant")
    d.line("M200 50L418 50")
    d.text(309, 42, "requests, retries", style="small", anchor="middle")
    d.line("M418 72L202 72", kind="bad")
    d.text(309, 90, "RST, FIN, silence", style="small bad", anchor="middle")
    d.line("M510 90L510 134")
    d.box(420, 136, 180, 44, "journals")
    d.line("M110 90L110 158", dashed=True)
    d.box(20, 160, 180, 60, "exit code", "does it know?")
    d.line("M440 180C440 206 430 212 402 212")
    d.line("M600 158L640 158")
    d.box(640, 132, 104, 52, "given up", kind="bad")
    d.box(220, 186, 180, 50, "executed twice", "an unsafe retry", kind="bad")
    return str(d)
