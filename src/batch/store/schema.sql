-- The tables of a stored run. SQLite keeps these texts, comments included: `sqlite3 RUN.db .schema` shows them.

CREATE TABLE run ( -- one row: what was asked of every point
  id INTEGER PRIMARY KEY CHECK (id = 1),
  format INTEGER NOT NULL,      -- version of these tables
  tool TEXT NOT NULL,           -- who wrote the file: name and version
  started_at TEXT NOT NULL,     -- RFC 3339, UTC
  command TEXT NOT NULL CHECK (command IN ('certify', 'radius')),
  model TEXT NOT NULL,          -- path, as typed
  model_sha256 TEXT NOT NULL,   -- of the file's bytes, unpacked if it is gzipped; hexadecimal, like all digests here
  input_shape TEXT NOT NULL,    -- of the network's input, such as 1x28x28
  classes INTEGER NOT NULL,     -- the network's outputs
  dropped_activation TEXT,      -- at the network's end, left out because it does not change which output is largest
  semantics TEXT NOT NULL CHECK (semantics IN ('real', 'float32')), -- what is meant by the network's outputs
  data TEXT NOT NULL,           -- path of the points, as typed (FILE.npz:ARRAY names an array)
  data_sha256 TEXT NOT NULL,    -- of the file's bytes; of a folder: of the names and digests of its files
  points_name TEXT NOT NULL,    -- the same with the array that was read
  labels TEXT,                  -- path of the labels, as typed; null: they are with the points
  label_column TEXT,            -- column of the labels in a table, as typed
  labels_sha256 TEXT NOT NULL,  -- of the bytes of the file that holds the labels; of sub-folders: of the images' names and labels
  labels_name TEXT NOT NULL,    -- that file, and the array or column in it
  available INTEGER NOT NULL,   -- points in the file
  selection TEXT,               -- the points that were chosen, in ascending order; null: all
  selected INTEGER NOT NULL,    -- how many these are
  shard TEXT,                   -- I/N: only every N-th of these from the I-th on (counted from 1); null: all
  drawn INTEGER NOT NULL,       -- 1: points are answered in the order that the seed draws, so that the run may end at any moment
  norm TEXT NOT NULL,           -- what the radius measures: linf, l2 or l1
  radius TEXT NOT NULL,         -- in raw units, one or one a feature; this and the next four are decimals or fractions, taken exactly
  fixed TEXT,                   -- features that do not vary, as indices; null: none
  clip TEXT,                    -- range LO,HI of valid raw values; null: none
  mean TEXT,                    -- numbers to subtract before the network: one, one a channel or one an element
  std TEXT,                     -- numbers to divide by, likewise
  precision REAL,               -- a `radius` run: width of the brackets that it looks for, as a share of the radius; null otherwise
  method TEXT NOT NULL,         -- how far up the ladder of methods the search went
  split TEXT NOT NULL,          -- what branch and bound splits
  timeout_s REAL NOT NULL,      -- time limit of a point
  attack INTEGER NOT NULL,      -- 1: counterexamples were looked for
  seed TEXT NOT NULL            -- of everything random; decimal
);

CREATE TABLE points ( -- one row a point, committed as its answer came
  point INTEGER PRIMARY KEY,      -- place in the data set, from 0
  label INTEGER NOT NULL,         -- class index
  predicted INTEGER NOT NULL,     -- the class that the network gives the point itself
  confidence REAL NOT NULL,       -- the largest softmax share of its outputs there, in binary64 arithmetic
  verdict TEXT NOT NULL CHECK (verdict IN ('certified', 'falsified', 'misclassified', 'unknown', 'timeout')),
  time_s REAL NOT NULL,
  reason TEXT,                    -- why no more was shown; null where the verdict says all
  property_sha256 TEXT NOT NULL,  -- of the canonical form of the property that the whole radius poses
  certified_share REAL,           -- the share of the radius within which no input has another class: 1 is the whole radius
  leaves INTEGER,                 -- of the certificate's proof trees
  certificate_bytes INTEGER,      -- its length
  certificate BLOB,               -- what the checker accepted; it proves the property at `certified_share` times the radius
  falsified_share REAL,           -- a share of the radius within which some input has another class; 0: the point itself
  counterexample BLOB,            -- that network input, after normalisation: little-endian binary64
  counterexample_output BLOB,     -- the network's outputs there (middles of proved enclosures), likewise
  CHECK ((verdict IN ('falsified', 'misclassified')) = (falsified_share IS NOT NULL)),
  CHECK ((verdict = 'misclassified') = (falsified_share IS 0.0)),
  CHECK ((verdict = 'certified') = (certified_share IS 1.0)),
  CHECK ((falsified_share IS NULL) = (counterexample IS NULL) AND (counterexample IS NULL) = (counterexample_output IS NULL)),
  CHECK ((certified_share IS NULL) = (certificate IS NULL)),
  CHECK (certificate_bytes IS length(certificate)),
  CHECK (certified_share IS NULL OR falsified_share IS NULL OR certified_share < falsified_share)
);

CREATE TABLE manifest ( -- one row once the run has ended, early or not: what its points add up to
  id INTEGER PRIMARY KEY CHECK (id = 1),
  ended_at TEXT NOT NULL,        -- RFC 3339, UTC
  ended_by TEXT NOT NULL CHECK (ended_by IN ('completion', 'budget', 'interruption', 'gate')),
  root TEXT NOT NULL,            -- Merkle root over all rows of `points`, as RFC 6962 builds it
  points INTEGER NOT NULL,       -- points that were asked for, answered or not
  certified INTEGER NOT NULL,
  falsified INTEGER NOT NULL,
  misclassified INTEGER NOT NULL,
  unknown INTEGER NOT NULL,      -- timeouts and points without an answer included
  unanswered INTEGER NOT NULL,
  interval TEXT NOT NULL,        -- how the next two were computed
  lower REAL NOT NULL,           -- ends of the interval for the share of inputs at which the network is correct and robust
  upper REAL NOT NULL,
  confidence REAL NOT NULL       -- with which it holds
);
