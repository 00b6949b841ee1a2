//go:build !linux

package web

import "net"

// quiet stands for that of Linux on systems where nobody runs an exchange.
func quiet(l net.Listener) net.Listener { return l }
