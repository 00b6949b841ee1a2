// Package voice is the Voice API: the interface that applications of hosted
// platforms were written for, as a dialect. It translates NCCO, the JSON flows of
// applications, into verbs of package flow, REST requests into requests of the
// exchange, and what happens to the legs of applications into webhooks. It decides
// nothing about calls.
//
// What it promises about order: the webhooks of one leg are given to the deliverer
// in the order in which the exchange reported them, and those of a leg that was
// made by POST /v1/calls only after the response was written. Do and Changed, which
// the loop calls, only append to a queue.
//
// docs/voice.md says what there is and where it differs.
package voice
