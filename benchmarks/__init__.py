"""Measurements; never deployed.

================  ==========================================================================
``__main__.py``   ``make bench``: runs the rows, prints and writes the results
``goals.py``      what each row compares, what it has to reach, and what came out
``rows/``         one module for each kind of row
``ours/``         this app as it is measured
``peers/``        what a user would pick instead, and the bare floor; with a venv of their own
``bots.py``       what the bots of both sides share
``serving.py``    the web server that they have in a Functions host's place
``programs.py``   measured programs: started on a core of their own, with their CPU time
``rounds.py``     rounds of talking with one program after the other, and the check
``sayings.py``    who talks, what is said, and how it looks on the wire
``channel.py``    the channel: takes what bots say, for the check; and the login server
``wire.py``       HTTP/1.1 on bare asyncio: the load generator, and the channel's server
``report.py``     the results as JSON and as a table
================  ==========================================================================
"""
