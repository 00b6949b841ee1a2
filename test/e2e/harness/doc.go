//go:build e2e

// Package harness starts what the end-to-end tests need: offhook itself, real
// SIP phones (baresip), scripted ones (sipp) and browsers (Chromium, Firefox). A
// tool that is not installed fails the test; `make setup` installs all of them.
//
// Everything a test starts is stopped by its cleanup: each program runs in a
// process group of its own, and only recorded groups are killed. What programs
// print goes to artifacts/<test>/<name>.log.
package harness
