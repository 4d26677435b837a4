"""Client programs as anybody would write them: each library as its README shows it, nothing set."""
