//go:build race

package media_test

// underRace says that the race detector is on. It makes codecs ten times slower,
// and tests of numbers find no races.
const underRace = true
