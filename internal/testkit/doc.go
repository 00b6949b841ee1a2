// Package testkit helps tests: waiting, leak checks, logs and ports. Only tests
// import it.
package testkit
