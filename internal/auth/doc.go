// Package auth says who a client is: by password, by token, or by the digest
// secrets that the SIP edge compares. Unknown users cost the same work and get
// the same answer as wrong passwords, sources and users that fail too often are
// locked out for a while, and slow hashing is bounded so that a flood of logins
// cannot take the processor from calls.
//
// Errors carry a core.Kind: Unauthorized for every wrong credential, Unavailable
// for a lock-out or an overload. Their text is for the log and never for the
// client.
package auth
