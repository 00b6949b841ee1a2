package webhook

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
)

// BenchmarkWebhook is one event, signed and durable, with its request to a receiver
// on the same machine, 16 legs at once. The receiver's part is in it.
func BenchmarkWebhook(b *testing.B) {
	r := newReceiver(b, nil)
	r.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { _, _ = io.Copy(io.Discard, req.Body) })
	d := newTest(b, Config{Agent: "offhook/bench", Store: &memory{}, Folder: b.TempDir()}, defaultLimits())
	run(b, d, benchJob(r.URL))
}

// BenchmarkSend is what the loop pays.
func BenchmarkSend(b *testing.B) {
	l := defaultLimits()
	l.workers = 0 // nobody works
	l.bytes = 1 << 40
	d := &Deliverer{limits: l, queues: make(map[queueKey]*queue), lanes: make(map[laneKey]*lane), ctx: b.Context()}
	j := benchJob("http://127.0.0.1/")
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		j.Queue = fmt.Sprint("leg", n)
		d.Send(j)
	}
}

func benchJob(url string) Job {
	j := Job{App: "app", Target: Target{URL: url}, Sign: &Signer{Key: []byte("secret of 32 bytes or thereabouts"), APIKey: "abcd1234", App: "app"}}
	for _, name := range []string{"from", "to", "uuid", "conversation_uuid", "status", "direction", "timestamp"} {
		j.Params = append(j.Params, String(name, "11111111-2222-3333-4444-555555555555"))
	}
	j.Params = append(j.Params, Param{"headers", json.RawMessage("{}")})
	return j
}

func run(b *testing.B, d *Deliverer, j Job) {
	b.Helper()
	j.Durable = true
	places := make(chan string, 16)
	for n := range cap(places) {
		places <- fmt.Sprint("leg", n)
	}
	var waiting sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		j := j
		j.Queue = <-places
		waiting.Add(1)
		j.Done = func(res Result) {
			if res.Err != nil {
				b.Error(res.Err)
			}
			places <- j.Queue
			waiting.Done()
		}
		d.Send(j)
	}
	waiting.Wait()
}
