"""The operator page: what went out, who did not get it; stop it, take it back, send.

`make run` serves it at http://localhost:3000/operator for the local app, and `make operator URL=…`
for one in Azure: this process holds the function key and passes requests on, so nothing new is open
in Azure. `page/` is plain HTML and JavaScript, without a framework and without a build.
"""
