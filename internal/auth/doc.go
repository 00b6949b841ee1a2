// Package auth says who a client is: by password, by token, or by the digest
// secrets that the SIP edge compares. Unknown users cost the same work and get
// the same answer as wrong passwords, and sources and users that fail too often are
// locked out for a while.
//
// Errors carry a core.Kind: Unauthorized for every wrong credential, Unavailable
// for a lock-out. Their text is for the log and never for the client.
package auth
