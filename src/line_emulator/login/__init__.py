"""LINE Login v2.1: whose account a visitor of a web page has (LINE Login reference)."""
