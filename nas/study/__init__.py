"""What a search remembers: its results in SQL beside Optuna's own tables, and files it keeps beside them.

    from nas.study.sql.storage import open_storage
    from nas.study.sql.opening import create_or_resume, list_studies, open_study

`open_storage` gives a `Storage`; the other three give a `SqlStudy`, which a search writes to and everyone reads from.
Nothing is imported here, because SQLAlchemy and Optuna take a while and most commands need neither.
"""

DEFAULT_STORAGE = "runs/nas.db"
"""Where studies are kept unless the user names another place."""
