"""What a month looks like in a published table."""

MONTH_PATTERN = r"^\d{4}-(?:0[1-9]|1[0-2])$"
