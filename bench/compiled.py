"""The C programs of the bench, compiled for the run."""

from pathlib import Path

from bench.children import ROOT, BenchError, run
from bench.peers import program


def compiled(name: str, folder: Path) -> Path | None:
    """Compile bench/NAME.c into a folder, once; None without a C compiler.

    Raises:
        BenchError: the compiler found fault with it.
    """
    binary = folder / name
    compiler = program("cc")
    if compiler is None:
        return None
    if not binary.exists():
        source = str(ROOT / "bench" / f"{name}.c")
        done = run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(binary), source], 60)
        if done.code:
            raise BenchError(f"{name}.c: {done.errors}")
    return binary
