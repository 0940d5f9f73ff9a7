"""Waiting for a database server that went away, instead of losing hours of training to it."""

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_random_exponential

from nas.study.sql.errors import UnreachableError

PATIENCE_SECONDS = 900.0
"""How long a server may be away before a worker gives up."""
LONGEST_PAUSE = 5.0

patiently = retry(
    retry=retry_if_exception_type(UnreachableError),
    stop=stop_after_delay(PATIENCE_SECONDS),
    wait=wait_random_exponential(multiplier=0.1, max=LONGEST_PAUSE),
    reraise=True,
)
"""Repeat a transaction until the server is back.

A server may die after it committed and before it said so: what is wrapped in this must do no harm done twice.
"""
