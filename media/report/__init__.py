"""The report of a dub: one HTML file that needs nothing else, and the receipt as markdown."""

from media.report.markdown import receipt_markdown
from media.report.page import LineMedia, render_report

__all__ = ["LineMedia", "receipt_markdown", "render_report"]
