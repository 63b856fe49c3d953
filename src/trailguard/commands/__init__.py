"""The command line: what is typed, what runs, what is printed."""
