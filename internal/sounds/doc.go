// Package sounds gets the sounds that configurations and applications name: files
// in one folder, and URLs. They are decoded once and kept in memory for all who
// listen.
//
// A URL may come from somebody who must not reach what this machine can reach:
// addresses that are not on the public Internet are refused unless the
// configuration lists them, and that is checked for each connection, when its
// address is known, also behind redirects.
//
// Nothing here waits for the network or the disk but goroutines of a Library.
package sounds
