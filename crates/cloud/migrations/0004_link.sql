-- Who refers to whom among networks and machines: one row per reference in a
-- document, written with it. `holder` is the part of the document that refers (an
-- IP configuration, a subnet), or the document itself.
CREATE TABLE link (
    source TEXT NOT NULL REFERENCES resource (key) ON DELETE CASCADE,
    holder TEXT NOT NULL,         -- an id, in its own spelling
    target TEXT NOT NULL          -- a key: what is referred to, or a part of it
) STRICT;
CREATE INDEX link_by_source ON link (source);
CREATE INDEX link_by_target ON link (target);
