"""The folder for checkov's `--external-checks-dir`; without this file, checkov passes over it."""
