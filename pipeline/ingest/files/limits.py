"""How much of a file is read before it is refused: every bound of the landing, with its reason.

Far above what helpdesks export, and low enough that no file can hold up the ones beside it.
"""

from __future__ import annotations

from datetime import timedelta

# A content that grows more than this when unpacked is taken for a bomb; helpdesk exports compress 5 to 20 times.
RATIO_LIMIT = 100
# What may be unpacked whatever the ratio: a short export of one repeated ticket compresses 500 times and does no harm.
RATIO_FREE_BYTES = 16 << 20

# Members of an archive; a full export of Zendesk has one file per 31 days and kind, which is 180 in five years. Each is an export
# of its own, that takes 40 ms of processor time however short it is.
ARCHIVE_ENTRIES = 250
# The list of an archive's members as it lies in the file: read whole, so bounded before it is read.
ARCHIVE_DIRECTORY_BYTES = 4 << 20

# Parts of a workbook, its sheets, and what is unpacked of it: 1,048,576 rows is the most that the format knows.
WORKBOOK_PARTS = 2_000
WORKBOOK_SHEETS = 100
WORKBOOK_BYTES = 1 << 30
# Texts that the cells of a workbook point to are held in memory.
WORKBOOK_TEXT_CHARACTERS = 100_000_000
WORKBOOK_ROWS = 1_048_576

# Names in a header. Exports with one column per comment or custom field reach some hundreds.
COLUMNS = 2_000

# One record of a table: helpdesks cut a field at 32,000 characters.
RECORD_BYTES = 1 << 20
# One JSON text, a line or an element of a list: a page of the incremental API holds 1,000 tickets, of 5 KB each with a long
# description. Reading a text takes about fourteen times its bytes, which is 512 MB for this one with the process itself.
DOCUMENT_BYTES = 24 << 20
# What is decoded at a time of a Parquet file: a row group.
ROW_GROUP_BYTES = 128 << 20
# JSON and XML inside one another: API answers reach 8.
DEPTH = 100
# Elements of one list inside a record, those of its inner lists together: a loop of two robots has written thousands of
# messages into a ticket. Each takes up to fifty times its bytes once it is read.
LIST_ELEMENTS = 250_000
# One element of an XML export with all that lies in it.
ELEMENT_BYTES = 16 << 20

# Records of one file; an export of a helpdesk is cut into months long before.
ROWS = 100_000_000

# Records that are refused one by one. A file with more of them than usable ones is not the export that its source names.
REFUSED_ROWS = 100_000
# Lines that are looked at together: what is said of each takes memory, and 64 MB may hold 32 million.
LINES_AT_ONCE = 200_000

# What the process that reads a file may hold in memory. Landing a million tickets takes under half a GB; a workbook of many
# texts takes more, and with the process that waits for it (0.2 GB) the run stays within 2 GB.
MEMORY_BYTES = 3 << 29
# What it may ask for, which the system refuses at once: allocators reserve four times what they come to use.
RESERVED_BYTES = 4 << 30
# The share of it that an engine may fill with rows.
ENGINE_MEMORY = "1GB"
# Processor time of one file, all threads together: ten seconds for whatever it is, then three for each unpacked MB, which is
# six times what a workbook needs, the slowest kind. Never wall time: a busy machine is no fault of a file.
SECONDS_FREE = 10
SECONDS_PER_MB = 3
# A process that gets no processor time at all for so long waits for a disk that does not answer.
SECONDS_STALLED = 600
# How far an instant may lie after the landing of its file: the clocks of two machines differ by less.
FUTURE_ALLOWED = timedelta(minutes=5)
# Landed Parquet is smaller than what it came from, but a tiny file still has its footer.
OUTPUT_RATIO = 4
OUTPUT_FREE_BYTES = 64 << 20
