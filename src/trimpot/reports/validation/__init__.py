"""Parts of the page of judged models, see ``trimpot.reports.validation_page``."""
