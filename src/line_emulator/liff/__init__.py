"""LIFF: web apps inside LINE, their server API, how they open, and what their SDK can do."""
