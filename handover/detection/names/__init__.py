"""Names of persons in running text: rules with name lists for Western scripts, rules for Chinese, and an optional model."""
