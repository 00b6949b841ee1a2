-- Why a leg was not heard when it was silent last: a word of core.Silence, and a
-- line for people.
ALTER TABLE cdrs ADD COLUMN silence TEXT NOT NULL DEFAULT '';
ALTER TABLE cdrs ADD COLUMN diagnosis TEXT NOT NULL DEFAULT '';
