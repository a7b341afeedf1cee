"""The demo workspace: two years of an invented vendor's helpdesk exports and contract records."""
