-- Names that are proposed in bulk are proposals like others, and say where they came from. Those that waited before are proposed again.
ALTER TABLE proposals ADD COLUMN origin TEXT NOT NULL DEFAULT '';
DROP TABLE candidates;
