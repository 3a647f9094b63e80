-- The tables of a stored run. SQLite keeps these texts, comments included: `sqlite3 RUN.db .schema` shows them.

CREATE TABLE run ( -- one row: what was asked of every point
  id INTEGER PRIMARY KEY CHECK (id = 1),
  format INTEGER NOT NULL,      -- version of these tables
  tool TEXT NOT NULL,           -- who wrote the file: name and version
  started_at TEXT NOT NULL,     -- RFC 3339, UTC
  model TEXT NOT NULL,          -- path, as typed
  model_sha256 TEXT NOT NULL,   -- of the file's bytes, unpacked if it is gzipped; hexadecimal, like all digests here
  data TEXT NOT NULL,           -- path of the points, as typed (FILE.npz:ARRAY names an array)
  data_sha256 TEXT NOT NULL,    -- of the file's bytes
  labels TEXT,                  -- path of the labels, as typed; null: they are in the file of the points
  label_column TEXT,            -- column of the labels in a table, as typed
  labels_sha256 TEXT NOT NULL,  -- of the bytes of the file that holds the labels
  available INTEGER NOT NULL,   -- points in the file
  selection TEXT,               -- the points that were chosen, as typed; null: all
  selected INTEGER NOT NULL,    -- how many these are; fewer rows in `points`: the run has not ended
  norm TEXT NOT NULL,           -- what the radius measures: linf
  radius TEXT NOT NULL,         -- in raw units; this and the next three are decimals or fractions, taken exactly
  clip TEXT,                    -- range LO,HI of valid raw values; null: none
  mean TEXT,                    -- numbers to subtract before the network: one, one a channel or one an element
  std TEXT,                     -- numbers to divide by, likewise
  method TEXT NOT NULL,         -- how far up the ladder of methods the search went
  timeout_s REAL NOT NULL,      -- time limit of a point
  attack INTEGER NOT NULL,      -- 1: counterexamples were looked for
  seed TEXT NOT NULL            -- of everything random; decimal
);

CREATE TABLE points ( -- one row a point, committed as its answer came
  point INTEGER PRIMARY KEY,      -- place in the data set, from 0
  label INTEGER NOT NULL,         -- class index
  verdict TEXT NOT NULL CHECK (verdict IN ('certified', 'falsified', 'misclassified', 'unknown', 'timeout')),
  time_s REAL NOT NULL,
  reason TEXT,                    -- why nothing was shown; null otherwise
  property_sha256 TEXT NOT NULL,  -- of the property's canonical form
  counterexample BLOB,            -- network input of another class, after normalisation: little-endian binary64
  leaves INTEGER,                 -- of the certificate's proof trees
  certificate_bytes INTEGER,      -- its length
  certificate BLOB,               -- what the checker accepted
  CHECK ((verdict IN ('falsified', 'misclassified')) = (counterexample IS NOT NULL)),
  CHECK ((verdict = 'certified') = (certificate IS NOT NULL)),
  CHECK (certificate_bytes IS length(certificate))
);
