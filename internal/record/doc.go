// Package record makes files of what is heard in calls.
//
// A recording hears like a leg: each of its channels is a path of linear samples
// that package media fills every 20 ms. The mixer's goroutine only copies them; one
// goroutine for each recording writes the file. What a slow disk cannot take for
// more than some seconds becomes silence in the file, and is counted.
//
// A file can be played at any time of its making. What a killed program left is
// completed at the next start.
package record
