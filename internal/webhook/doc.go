// Package webhook delivers the requests that offhook sends to applications, as the
// voice API describes (docs/voice.md): signed, in order, with time-outs, one more
// attempt and a fallback.
//
// Send never waits: the loop calls it. Jobs of a queue, the events of a leg, are
// done one at a time and in order; a queue holds 32 jobs and a job waits for 60 s,
// what is beyond is dropped and counted. Each application has lanes of its own with
// a bounded number of workers, one for what is asked and one for what is told, so
// that a receiver that is slow or dead holds up neither other applications nor the
// questions of its own.
//
// A durable job is in the journal, a file in the data folder, before its first
// attempt. The store gets what is not delivered within a second or so. After a kill
// everything that was not delivered gets all its attempts, in order for each queue;
// an event whose delivery was not noted yet comes again with the same body and the
// same token.
package webhook
