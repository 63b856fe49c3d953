"""The real cfn-lint and checkov, with trailguard's rules inside and beside a scan."""
