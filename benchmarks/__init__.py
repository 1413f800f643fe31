"""Measurements; never deployed.

==================  ==========================================================================
``__main__.py``     ``make bench``: runs the rows, prints and writes the results
``goals.py``        what each row compares, and what it has to reach
``rows/``           one module for each kind of row
``ours/``           this app's programs that are measured
``peers/``          what a user would pick instead, and bare floors; they have a venv of their own
``users.py``        who talks, and what is said
``activities.py``   what users say, ready for the wire, and the check of what came back
``whole_app.py``    the whole app in this process, between its neighbours
``direct_line.py``  Direct Line as the worker sees it, counting
``triggers.py``     the worker's signed triggers, ready for the wire
``settings.py``     what the measured programs are told by their environment
``plan.py``         how much is measured
``channel.py``      the channel: takes what bots say, and keeps it for the check
``login.py``        the login server: keys and tokens
``load.py``         the load generator
``raw_http.py``     HTTP/1.1 on bare asyncio, so that the measuring side costs next to nothing
``turns.py``         rounds of talking with one program after the other
``storage.py``       a storage emulator for the measured programs
``sites.py``         the app with ever more to hold
``stored.py``        stored conversations of users who say nothing
``backlog.py``       a queue on which messages wait
``programs.py``     measured programs: started on a core of their own, with their CPU and memory
``outcome.py``      numbers of several rounds, and what follows from them
``report.py``       the results as a table and as JSON
``chaos.py``        another kind of measurement: what is lost while everything fails
==================  ==========================================================================
"""
