// Package archtest holds the import rules of the project as tests. It has no
// code of its own.
package archtest
