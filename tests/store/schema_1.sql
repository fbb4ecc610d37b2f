-- The metadata schema as version 1 of the program made it; to test that such workspaces still open.
CREATE TABLE jobs (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    params JSON NOT NULL,
    handlers TEXT NOT NULL,
    status TEXT NOT NULL,
    stage TEXT NOT NULL,
    fraction FLOAT NOT NULL,
    message TEXT NOT NULL,
    eta_seconds FLOAT,
    submitted_at FLOAT NOT NULL,
    started_at FLOAT,
    updated_at FLOAT,
    finished_at FLOAT,
    cancel_requested_at FLOAT,
    error TEXT,
    result JSON,
    pid INTEGER,
    process_mark TEXT,
    retry_of INTEGER
);
CREATE INDEX ix_jobs_status ON jobs (status);
CREATE TABLE runner (
    place INTEGER NOT NULL,
    pid INTEGER,
    process_mark TEXT,
    token TEXT NOT NULL,
    heartbeat_at FLOAT NOT NULL,
    starts INTEGER NOT NULL,
    PRIMARY KEY (place)
);
CREATE TABLE datasets (
    id TEXT NOT NULL,
    number INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    record JSON NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (number)
);
CREATE TABLE runs (
    id TEXT NOT NULL,
    number INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    record JSON NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (number)
);
CREATE TABLE price_lists (
    id TEXT NOT NULL,
    number INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    record JSON NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (number)
);
CREATE TABLE scenarios (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    created_at TEXT NOT NULL,
    spec JSON NOT NULL,
    results BLOB NOT NULL,
    UNIQUE (name)
);
CREATE TABLE settings (
    "key" TEXT NOT NULL,
    value JSON NOT NULL,
    PRIMARY KEY ("key")
);
CREATE TABLE job_metrics (
    number INTEGER NOT NULL,
    job_number INTEGER NOT NULL,
    name TEXT NOT NULL,
    step INTEGER NOT NULL,
    value FLOAT,
    PRIMARY KEY (number),
    FOREIGN KEY(job_number) REFERENCES jobs (number)
);
CREATE INDEX ix_job_metrics_job_number ON job_metrics (job_number);
PRAGMA user_version=1;
