"""The one room that speaks to LINE: client, signatures, events on the wire, limits, prices."""
