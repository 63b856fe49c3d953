"""Who watches a trail: log groups, roles, alarms, topics."""
