"""Whether a document is one that this workspace issued, unchanged, and whether its figures still stand."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.errors import InputRejected
from pipeline.periods.editions import list_issues
from pipeline.periods.issue import list_issued
from pipeline.reporting.edition import Change
from pipeline.settings import Workspace

# A PDF carries its number in its metadata, as plain text.
_NUMBER = re.compile(rb"\b[DR]-[0-9]{4}-[0-9]{2}-[0-9a-f]{10}(?:-V[0-9]+)?(?:-C[0-9]+)?\b")


@dataclass(frozen=True)
class Verified:
    """An issued document. `newest` is the report number that its month has now, None where the month was reopened since;
    `changes` are the values that editions after this one corrected."""

    report_number: str
    customer_id: str
    month: str
    document: str
    newest: str | None
    changes: tuple[Change, ...]
    # The workspace no longer keeps this document: it was rendered again without what was forgotten since.
    is_replaced: bool = False

    @property
    def stands(self) -> bool:
        return self.newest == self.report_number


def verify_document(workspace: Workspace, path: Path) -> Verified:
    """The edition that the file belongs to, found by its bytes.

    Raises InputRejected for a file that was not issued by this workspace or was changed since, and OSError.
    """
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    issued = list_issued(workspace)
    for record in issued:
        for number, digests in enumerate((record.digests, *record.replaced)):
            for document, known in digests.items():
                if known == digest:
                    found = _compare(
                        workspace, record.report_number, record.customer_id, record.month, document
                    )
                    return replace(found, is_replaced=number > 0)
    named = {number.decode() for number in _NUMBER.findall(content)}
    known_numbers = {record.report_number for record in issued}
    if named & known_numbers:
        [number, *_] = sorted(named & known_numbers)
        raise InputRejected(
            f"{path} calls itself {number}, and its bytes are not those that were issued under that number: it was changed. "
            f"`sla report --customer ID --month {number[2:9]}` writes the document as it was issued."
        )
    if any(number.startswith("D-") for number in named):
        raise InputRejected(
            f"{path} is a draft ({min(named)}). Drafts are not on record; only reports of closed months can be verified."
        )
    raise InputRejected(
        f"{path} is no document that this workspace issued{f' ({min(named)})' if named else ''}. Verify it where it was issued, "
        "or ask for it again."
    )


def _compare(workspace: Workspace, number: str, customer_id: str, month: str, document: str) -> Verified:
    own = [
        issue.edition
        for issue in list_issues(workspace, month)
        if (issue.customer_id, issue.month) == (customer_id, month)
    ]
    numbers = [edition.report_number for edition in own]
    # The changes of an edition are all that was corrected since its original; those before this one are known to its reader.
    seen = own[numbers.index(number)].changes if number in numbers else ()
    changes = own[-1].changes[len(seen) :] if own else ()
    return Verified(number, customer_id, month, document, numbers[-1] if numbers else None, changes)
