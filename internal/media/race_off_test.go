//go:build !race

package media_test

// underRace says that the race detector is on.
const underRace = false
