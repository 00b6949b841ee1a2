// Package file reads and writes recorded audio.
package file
