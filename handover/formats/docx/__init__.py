"""DOCX (ECMA-376): every text of every part is inspected; the package is rebuilt from the parts that a reader sees.

Tracked insertions are accepted; deletions, comments, properties, custom XML, settings, external links, authors and revision ids
are inspected where they hold text and not carried over. Embedded objects, macros and pictures that can't be read are refused.
"""

from handover.formats.docx.reading import read
from handover.formats.docx.writing import DocxWriter

__all__ = ["DocxWriter", "read"]
