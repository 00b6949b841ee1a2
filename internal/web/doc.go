// Package web is the HTTP side of a node: the listener, TLS, the routes, the
// embedded pages and the limits that keep a slow or greedy client from hurting
// others. It knows no calls: what the sockets and metrics do is handed in as
// http.Handler values.
//
// Every response carries the security headers of guard.go, a panic costs one
// request, and time-outs bound headers, bodies, responses and idle connections. A
// handler that hijacks its connection (a WebSocket) is free of them and sets its
// own.
package web
