/**
 * The tables of the records, as the newest version of Tokenscope makes them. What a change of them has to do to
 * records that are there already stands in `migrations.ts`.
 */

/** What `PRAGMA application_id` says in records of Tokenscope: "TkSc". */
export const APPLICATION_ID = 0x546b5363

/** Ids of a millisecond: rows of generations and exchanges are numbered by when they began, times this, and counted up. */
export const IDS_PER_MS = 1024

/** How the bytes of a part or a block are kept. */
export const CODEC_RAW = 0
export const CODEC_ZSTD = 1

/** Facts: one row each. */
export type FactName =
  /** First part of the log's epoch: a new one with each folder and each restore. */
  | 'log_id'
  /** Second part: counts the starts. */
  | 'run'
  /** Number of the map's first block of 256 cells that was never given. */
  | 'next_block'
  /** Seq of this run up to which all entries are recorded whole; 0 where they are recorded without text. */
  | 'seq'

/**
 * `generations.recorded_at` is when its row was made, in Unix ms: what is read from a file may be much older itself.
 * `generations.run` is the run in which that was.
 */
export const SCHEMA = `
CREATE TABLE facts (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE exchanges (
  id INTEGER PRIMARY KEY,
  request TEXT NOT NULL,
  body BLOB,
  body_codec INTEGER NOT NULL DEFAULT 0,
  body_bytes INTEGER NOT NULL DEFAULT 0,
  response TEXT,
  bytes INTEGER NOT NULL DEFAULT 0,
  outcome TEXT,
  lost INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE exchange_parts (
  id INTEGER PRIMARY KEY,
  exchange INTEGER NOT NULL,
  ord INTEGER NOT NULL,
  codec INTEGER NOT NULL,
  data BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX exchange_parts_by_exchange ON exchange_parts (exchange, ord);

CREATE TABLE generations (
  id INTEGER PRIMARY KEY,
  generation TEXT NOT NULL UNIQUE,
  origin TEXT NOT NULL,
  exchange INTEGER,
  state TEXT NOT NULL,
  model TEXT,
  last TEXT NOT NULL,
  began INTEGER NOT NULL,
  ended_at REAL,
  entries INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  missing INTEGER NOT NULL DEFAULT 0,
  mean_logprob REAL,
  preview TEXT NOT NULL DEFAULT '',
  prompt TEXT,
  name TEXT,
  tags TEXT NOT NULL DEFAULT '[]',
  note TEXT,
  version INTEGER NOT NULL DEFAULT 1,
  bytes INTEGER NOT NULL DEFAULT 0,
  recorded_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)),
  run INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX generations_by_recorded ON generations (recorded_at);
CREATE INDEX generations_by_state ON generations (state, id);
CREATE INDEX generations_by_model ON generations (model, id);
CREATE INDEX generations_by_model_state ON generations (model, state, id);
CREATE INDEX generations_by_exchange ON generations (exchange) WHERE exchange IS NOT NULL;

CREATE TABLE entry_blocks (
  id INTEGER PRIMARY KEY,
  generation INTEGER NOT NULL,
  ord INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  first_token INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  handle INTEGER NOT NULL,
  codec INTEGER NOT NULL,
  data BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX entry_blocks_by_generation ON entry_blocks (generation, ord);

CREATE VIRTUAL TABLE words USING fts5 (
  name, tags, note, prompt, text, facets,
  content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);
`
