"""What a backup agent does: pure, so that every order of endings can be tried without a socket."""
