"""This app as it is measured, behind the same web server as the peers."""
