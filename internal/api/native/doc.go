// Package native is our own REST interface, /api/v1: the resources of the house,
// live calls and what moves them, and call detail records. Its OpenAPI 3.1
// description is made from the handlers and served at /api/openapi.json.
//
// Only users of the house whose role is admin get in, with a bearer token.
// Errors are problem details (RFC 9457). What the configuration file keeps can be
// read and not written: 409. docs/api.md says more.
package native
