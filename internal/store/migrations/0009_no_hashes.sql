-- Logins compare the digest secrets, as phones do.
ALTER TABLE users DROP COLUMN password_hash;
