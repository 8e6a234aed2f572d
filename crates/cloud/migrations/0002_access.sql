-- Who may ask: applications, the service principals that act for them and for
-- machines, and their secrets as keyed hashes.
CREATE TABLE principal (
    id         TEXT PRIMARY KEY,  -- object id
    app_id     TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,     -- display name
    kind       TEXT NOT NULL,     -- Application, ManagedIdentity
    machine    TEXT UNIQUE,       -- key of the virtual machine that it is of
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE application (
    id         TEXT PRIMARY KEY,  -- object id; not its principal's
    app_id     TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE secret (
    id         TEXT PRIMARY KEY,
    app_id     TEXT NOT NULL,
    name       TEXT,
    hint       TEXT NOT NULL,     -- its first three characters
    hash       BLOB NOT NULL,     -- HMAC-SHA256 under a key that is not stored here
    start_at   TEXT NOT NULL,
    end_at     TEXT NOT NULL
) STRICT;
CREATE INDEX secret_by_app ON secret (app_id);

-- What they may do.
CREATE TABLE role_definition (
    id         TEXT PRIMARY KEY,  -- GUID of a role of one's own; Azure's are in code
    document   TEXT NOT NULL,     -- properties (JSON)
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    changed_by TEXT NOT NULL
) STRICT;

CREATE TABLE role_assignment (
    key        TEXT PRIMARY KEY,  -- scope and name in lower case
    name       TEXT NOT NULL,     -- GUID
    scope      TEXT NOT NULL,
    role       TEXT NOT NULL,     -- GUID of its definition
    principal  TEXT NOT NULL,     -- object id
    description TEXT,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL
) STRICT;

-- What was done, by whom, and how it ended; no bodies.
CREATE TABLE activity (
    sequence    INTEGER PRIMARY KEY,
    id          TEXT NOT NULL,
    time        TEXT NOT NULL,    -- RFC 3339, UTC, milliseconds
    status      TEXT NOT NULL,    -- Started, Accepted, Succeeded, Failed
    sub_status  TEXT NOT NULL,    -- of HTTP, as in Created
    action      TEXT NOT NULL,    -- as in Microsoft.Compute/virtualMachines/write
    resource    TEXT NOT NULL,    -- the id as it was written
    correlation TEXT NOT NULL,
    operation   TEXT NOT NULL,    -- what its events have in common
    caller      TEXT NOT NULL,    -- object id
    request     TEXT NOT NULL     -- the rest of who asked and how (JSON)
) STRICT;
CREATE INDEX activity_by_time ON activity (time);
CREATE INDEX activity_by_correlation ON activity (correlation);

-- Who asked for an operation: whoever did may ask how it is getting on.
ALTER TABLE operation ADD COLUMN asked TEXT;
