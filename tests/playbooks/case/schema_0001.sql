-- What Stanch 0.1 made: read from sqlite_master.
CREATE TABLE ledger_entries (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  idx BIGINT,
  pseudonym VARCHAR(32) NOT NULL,
  case_seq BIGINT NOT NULL,
  leaf BLOB NOT NULL,
  leaf_hash BLOB NOT NULL,
  UNIQUE (pseudonym, case_seq),
  UNIQUE (idx)
);
CREATE TABLE ledger_cases (
  case_id VARCHAR(200) NOT NULL,
  pseudonym VARCHAR(32) NOT NULL,
  next_seq BIGINT NOT NULL,
  PRIMARY KEY (case_id),
  UNIQUE (pseudonym)
);
CREATE TABLE ledger_nodes (
  level INTEGER NOT NULL,
  pos BIGINT NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (level, pos)
)
 WITHOUT ROWID;
CREATE TABLE ledger_checkpoints (
  size BIGINT NOT NULL,
  root BLOB NOT NULL,
  note TEXT NOT NULL,
  signed_at VARCHAR(32) NOT NULL,
  PRIMARY KEY (size)
);
CREATE TABLE ledger_signed (
  origin VARCHAR(200) NOT NULL,
  size BIGINT NOT NULL,
  root BLOB NOT NULL,
  PRIMARY KEY (origin)
);
CREATE TABLE ledger_openings (
  entry_id INTEGER NOT NULL,
  salt BLOB NOT NULL,
  actor TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (entry_id),
  FOREIGN KEY(entry_id) REFERENCES ledger_entries (id)
);
CREATE TABLE incidents (
  number INTEGER NOT NULL,
  id VARCHAR(16) NOT NULL,
  play VARCHAR(64) NOT NULL,
  title TEXT NOT NULL,
  severity VARCHAR(2) NOT NULL,
  target JSON NOT NULL,
  opened VARCHAR(32) NOT NULL,
  requester TEXT NOT NULL,
  hindrances JSON NOT NULL,
  status VARCHAR(32) NOT NULL,
  says TEXT NOT NULL,
  entry INTEGER NOT NULL,
  alert JSON NOT NULL,
  holder TEXT NOT NULL,
  PRIMARY KEY (number),
  UNIQUE (id)
);
CREATE TABLE alerts (
  dedupe_key VARCHAR(256) NOT NULL,
  incident VARCHAR(16) NOT NULL,
  count INTEGER NOT NULL,
  last_seen VARCHAR(32) NOT NULL,
  PRIMARY KEY (dedupe_key)
);
CREATE TABLE steps (
  number INTEGER NOT NULL,
  incident VARCHAR(16) NOT NULL,
  step TEXT NOT NULL,
  action VARCHAR(64) NOT NULL,
  fields JSON NOT NULL,
  "plan" JSON NOT NULL,
  phase VARCHAR(16) NOT NULL,
  mark TEXT NOT NULL,
  approval VARCHAR(16),
  result JSON,
  verdict VARCHAR(16),
  error TEXT NOT NULL,
  intended VARCHAR(32) NOT NULL,
  finished VARCHAR(32),
  PRIMARY KEY (number),
  UNIQUE (incident, step)
);
CREATE INDEX ix_steps_incident ON steps (incident);
CREATE TABLE kept (
  number INTEGER NOT NULL,
  incident VARCHAR(16) NOT NULL,
  step TEXT NOT NULL,
  value JSON NOT NULL,
  PRIMARY KEY (number),
  UNIQUE (incident, step)
);
CREATE INDEX ix_kept_incident ON kept (incident);
CREATE TABLE questions (
  number INTEGER NOT NULL,
  id VARCHAR(16) NOT NULL,
  incident VARCHAR(16) NOT NULL,
  step TEXT NOT NULL,
  scopes JSON NOT NULL,
  about JSON NOT NULL,
  requester TEXT NOT NULL,
  asked VARCHAR(32) NOT NULL,
  expires VARCHAR(32) NOT NULL,
  state VARCHAR(8) NOT NULL,
  approver TEXT NOT NULL,
  reason TEXT NOT NULL,
  proof TEXT NOT NULL,
  PRIMARY KEY (number),
  UNIQUE (id)
);
CREATE INDEX ix_questions_incident ON questions (incident);
