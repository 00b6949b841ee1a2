-- The next position is asked for at every new user and number, of which there are many.
CREATE INDEX users_position ON users (origin, position);
CREATE INDEX numbers_position ON numbers (origin, position);
