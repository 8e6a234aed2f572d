-- Everything that ARM can name: groups, networks, machines, extensions.
-- Children that live inside their parent's document (subnets, security rules,
-- IP configurations) have no row of their own.
CREATE TABLE resource (
    key        TEXT PRIMARY KEY,  -- the id in lower case
    id         TEXT NOT NULL,     -- the id as it was first written
    type       TEXT NOT NULL,     -- the full type in lower case
    document   TEXT NOT NULL,     -- the resource as ARM shows it (JSON)
    etag       TEXT NOT NULL,
    created_at TEXT NOT NULL,     -- RFC 3339, UTC
    changed_at TEXT NOT NULL
) STRICT;
CREATE INDEX resource_by_type ON resource (type, key);

-- The journal: what was promised to a client, written before it is begun.
CREATE TABLE operation (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,     -- as in virtualMachines/restart
    target     TEXT NOT NULL,     -- key of the resource it works on
    serial     TEXT,              -- the lock it holds until it ends
    work       BLOB NOT NULL,     -- what to do (sealed JSON); emptied at the end
    status     TEXT NOT NULL,     -- InProgress, Succeeded, Failed
    result     BLOB,              -- the final body (sealed JSON)
    error      TEXT,              -- ARM's error (JSON)
    started_at TEXT NOT NULL,
    ended_at   TEXT
) STRICT;
CREATE INDEX operation_by_status ON operation (status, started_at);

-- What the platform knows of a virtual machine beyond its public document.
CREATE TABLE guest (
    vm          TEXT PRIMARY KEY REFERENCES resource (key) ON DELETE CASCADE,
    machine     TEXT NOT NULL,    -- the engine's id
    deallocated INTEGER NOT NULL DEFAULT 0,
    incarnation INTEGER NOT NULL DEFAULT 1,
    tenant      BLOB NOT NULL,    -- certificate and private key (sealed)
    report      TEXT              -- the agent's last status (JSON)
) STRICT;

-- The newest settings of each extension handler on each machine. A row stays
-- when its extension is deleted, so that sequence numbers never go back.
CREATE TABLE plugin (
    vm        TEXT NOT NULL REFERENCES guest (vm) ON DELETE CASCADE,
    handler   TEXT NOT NULL,      -- publisher.type
    version   TEXT NOT NULL,
    sequence  INTEGER NOT NULL,
    operation TEXT NOT NULL,      -- the operation that waits for this sequence
    enabled   INTEGER NOT NULL,
    settings  BLOB NOT NULL,      -- public settings, protected ones as CMS (sealed)
    PRIMARY KEY (vm, handler)
) STRICT;
