"""The helpdesks' own words for statuses and channels, and for what acts by itself: known without a line in `sla.yml`."""

from __future__ import annotations

# The vendors' own words. `statuses: values:` and `channels: values:` of a source override them one by one.
STATUSES_OF: dict[str, dict[str, str]] = {
    "canonical": {},
    "zendesk": {
        "new": "new",
        "open": "open",
        "pending": "pending",
        "hold": "on_hold",
        "solved": "solved",
        "closed": "closed",
        # A table writes the labels.
        "New": "new",
        "Open": "open",
        "Pending": "pending",
        "Hold": "on_hold",
        "On-hold": "on_hold",
        "Solved": "solved",
        "Closed": "closed",
    },
    "servicenow": {
        "1": "new",
        "New": "new",
        "2": "open",
        "In Progress": "open",
        "Active": "open",
        "3": "on_hold",
        "On Hold": "on_hold",
        # Pending is the wait for the customer. The other waits are for another party, or do not say for whom:
        # a plan that pauses only while the customer is waited for must not pause then.
        "Awaiting User Info": "pending",
        "Awaiting Problem": "on_hold",
        "Awaiting Vendor": "on_hold",
        "Awaiting Evidence": "on_hold",
        "6": "solved",
        "Resolved": "solved",
        "7": "closed",
        "Closed": "closed",
        "8": "cancelled",
        "Canceled": "cancelled",
    },
    # A service project's own names, in English; others and translated ones belong into `statuses: values:`.
    "jira": {
        "Waiting for support": "open",
        "Waiting for customer": "pending",
        "Pending": "on_hold",
        "Escalated": "open",
        "Open": "open",
        "Reopened": "open",
        "In Progress": "open",
        "Work in progress": "open",
        "Resolved": "solved",
        "Done": "solved",
        "Closed": "closed",
        "Canceled": "cancelled",
        "Declined": "cancelled",
    },
    # `Pending` does not say for whom the ticket waits; a plan that pauses only for the customer must not pause then.
    "freshdesk": {
        "2": "open",
        "Open": "open",
        "3": "on_hold",
        "Pending": "on_hold",
        "4": "solved",
        "Resolved": "solved",
        "5": "closed",
        "Closed": "closed",
        "Waiting on Customer": "pending",
        "Waiting on Third Party": "on_hold",
    },
}
# Zendesk calls its web form `web`; `api` and the rest say nothing about a form, so they keep their names.
CHANNELS_OF: dict[str, dict[str, str]] = {
    "canonical": {},
    "zendesk": {
        "web": "web_form",
        "Web Form": "web_form",
        "Web form": "web_form",
        "Mail": "email",
        "Email": "email",
    },
    "servicenow": {
        "Email": "email",
        "Self service": "web_form",
        "Self-service": "web_form",
        "self-service": "web_form",
    },
    "jira": {"portal": "web_form", "Portal": "web_form"},
    "freshdesk": {
        "1": "email",
        "Email": "email",
        "2": "web_form",
        "Portal": "web_form",
        "3": "phone",
        "7": "chat",
    },
}
# Zendesk writes `rule` as the channel of everything that a trigger or an automation did.
BOT_CHANNELS_OF: dict[str, tuple[str, ...]] = {
    "canonical": (),
    "zendesk": ("rule", "trigger", "automation"),
    "servicenow": (),
    "jira": (),
    "freshdesk": (),
}
