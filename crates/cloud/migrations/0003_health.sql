-- How a virtual machine was, and from when on: the newest row is how it is.
CREATE TABLE health (
    vm    TEXT NOT NULL REFERENCES resource (key) ON DELETE CASCADE,
    since TEXT NOT NULL,    -- RFC 3339, UTC, milliseconds
    cause TEXT NOT NULL,    -- as in app/health
    PRIMARY KEY (vm, since)
) STRICT;
