"""Reports: tables, figures, model cards and pages from plain results."""
