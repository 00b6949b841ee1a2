-- How the audio of a leg fared, as JSON; '' if it had none.
ALTER TABLE cdrs ADD COLUMN quality TEXT NOT NULL DEFAULT '';
