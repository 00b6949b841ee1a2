package main

import (
	"net/http"

	"github.com/offhook/offhook/internal/obs"
)

// metrics returns what /metrics shows of this node.
func (n *node) metrics() http.Handler {
	m := obs.NewMetrics(version)
	m.Gauge("legs", "Legs that live.", nil, func() float64 { return float64(n.loop.Stats().Legs) })
	m.Gauge("calls", "Calls that live.", nil, func() float64 { return float64(n.loop.Stats().Calls) })
	m.Gauge("contacts", "Registrations of phones and browsers.", nil, func() float64 { return float64(n.loop.Stats().Contacts) })
	m.Gauges("trunk_up", "Whether a trunk answers OPTIONS; only of those that are asked.", "trunk", values(n.sip.TrunksUp))
	m.Gauges("trunk_registered", "Whether we are registered at a trunk; only of those that want it.", "trunk", values(n.sip.Registered))
	m.Gauge("sip_connections", "SIP connections over TCP, TLS and WebSocket.", nil, func() float64 { return float64(n.stack.Stats().Connections) })
	m.Gauge("sip_sessions", "INVITEs and their dialogs, up to 32 s after their end.", nil, func() float64 { return float64(n.stack.Stats().Sessions) })
	m.Gauge("sip_transactions", "SIP requests of both directions that are not over.", nil, func() float64 {
		st := n.stack.Stats()
		return float64(st.ServerTx + st.ClientTx)
	})
	m.Counter("sip_dropped_total", "SIP messages dropped unread because their source brought too many.", nil, n.sip.Dropped)
	m.Gauge("overloaded", "1 while new calls are refused because the program has more to do than it can.", nil, func() float64 {
		if n.pressure.Overloaded() {
			return 1
		}
		return 0
	})
	m.Counter("exchange_events_total", "Events applied to the exchange.", nil, func() uint64 { return n.loop.Stats().Events })
	m.Counter("exchange_commands_total", "Commands of the exchange.", nil, func() uint64 { return n.loop.Stats().Commands })
	m.Counter("exchange_panics_total", "Events or commands that panicked; each cost its own call only.", nil, func() uint64 { return n.loop.Stats().Panics })
	m.Counter("media_panics_total", "Packets and moments of audio lost to a fault of ours; each was one leg's only.", nil, func() uint64 {
		return n.media.Panics() + n.rtc.Stats().Panics + n.ports.allocator.Panics()
	})
	m.Counter("event_log_written_total", "Entries written to the leg event log.", nil, func() uint64 { return n.bus.Stats().Written })
	m.Counter("event_log_dropped_total", "Entries dropped because the log could not keep up.", nil, func() uint64 { return n.bus.Stats().Dropped })
	m.Counter("event_log_failures_total", "Failed writes to the leg event log, each tried again.", nil, func() uint64 { return n.bus.Stats().Failures })
	n.webhookMetrics(m)
	n.socketMetrics(m)
	n.recordMetrics(m)
	return m.Handler(n.log)
}

// values returns a metric that is 1 or 0 for each name of a fact.
func values(fact func() map[string]bool) func() map[string]float64 {
	return func() map[string]float64 {
		values := make(map[string]float64)
		for name, is := range fact() {
			values[name] = 0
			if is {
				values[name] = 1
			}
		}
		return values
	}
}
