"""Tables: what every training of a small space has given, and strategies replayed on them.

`making.py` trains every member and `table.py` keeps what came of it, one line of JSON each; `replaying.py` runs a
strategy on a table with simulated time, many times over, and `regret.py` says how fast it came near the best.
"""
