"""The parts of `scripts/spillway`: one subcommand or one tool of theirs per file."""
