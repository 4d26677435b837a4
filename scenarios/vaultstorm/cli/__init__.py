"""One file per command: its options here, its work in the packages it imports when it runs."""
