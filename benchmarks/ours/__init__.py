"""This app's programs that are measured, behind the same web server as the peers."""
