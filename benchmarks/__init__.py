"""Measurements; never deployed.

==================  ==========================================================================
``__main__.py``     ``make bench``: runs the rows, prints and writes the results
``goals.py``        what each row compares, and what it has to reach
``plan.py``         how much is measured
``rows/``           one module for each kind of row
``ours/``           this app's programs that are measured
``peers/``          what a user would pick instead, and the bare floor; with a venv of their own
``programs.py``     measured programs: started on a core of their own, with their CPU time
``settings.py``     what they are told by their environment
``serving.py``      the web server that they have in a Functions host's place
``users.py``        who talks, and what is said
``activities.py``   what users say, ready for the wire, and what has to come back
``triggers.py``     the worker's signed triggers, ready for the wire
``turns.py``        rounds of talking with one program after the other, and the check
``channel.py``      the channel: takes what bots say, and keeps it for the check
``login.py``        the login server: keys and tokens
``storage.py``      a storage emulator for the measured programs
``load.py``         the load generator
``raw_http.py``     HTTP/1.1 on bare asyncio, so that the measuring side costs next to nothing
``outcome.py``      what several rounds of two sides come to
``report.py``       the results as JSON and as a table
==================  ==========================================================================
"""
