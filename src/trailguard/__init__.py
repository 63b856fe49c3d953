"""trailguard proves that CloudFormation templates record and keep an audit trail."""

__version__ = "0.1.0"
