package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// figure is one number of a row: ours has to be at most target, 0 being none, or
// at least floor.
type figure struct {
	name    string
	target  float64
	decimal int
	floor   float64
}

// aim writes what has to be reached, "" if nothing.
func (f figure) aim() string {
	switch {
	case f.target > 0:
		return fmt.Sprintf("<= %g", f.target)
	case f.floor > 0:
		return fmt.Sprintf(">= %g", f.floor)
	}
	return ""
}

// met reports whether value reaches it.
func (f figure) met(value float64) bool {
	return (f.target == 0 || value <= f.target) && value >= f.floor
}

// row is one line of the table.
type row struct {
	id, what string
	figures  []figure // shown separated by " / "
	peers    string   // best figures of others on a machine like this one
	limit    string   // what nobody can go below, and why
}

// rows is what must be reached and what others need, measured on a machine with
// 2 virtual cores with generator and server side by side.
func rows() []row {
	return []row{
		{
			"R1", "REGISTER with digest (401 first), CPU ms at 1,000/s",
			[]figure{{name: "R1", target: 0.12, decimal: 3}},
			"Kamailio 0.05-0.08, Asterisk 0.52, FreeSWITCH 1.5", "0.03: parsing and two sockets calls each way",
		},
		{
			"R2", "most REGISTER/s, each challenged, before p99 is above 0.5 s or one fails (ladder, one run)",
			[]figure{{name: "R2", floor: 6000}},
			"Kamailio >= 8000, Asterisk 3000", "the generator takes as much of the machine as the server",
		},
		{
			"S1", "call set-up + BYE with digest, media ports allocated, CPU ms at 30/s",
			[]figure{{name: "S1", target: 1.2, decimal: 2}},
			"diago 1.4, Kamailio + rtpengine 1.5, Asterisk 3.6, FreeSWITCH 8.3", "0.3: two dialogs plus sockets",
		},
		{
			"S2", "same, best point of a ladder to 240/s",
			[]figure{{name: "S2", target: 0.6, decimal: 2}},
			"Kamailio 0.28 (proxy), diago 0.60, Asterisk 2.8, FreeSWITCH 7.5", "0.3",
		},
		{
			"S3", "INVITE to 200, ms, p50 / p99 (no target)",
			[]figure{{name: "S3", target: 1.0, decimal: 2}, {name: "S3 p99", decimal: 2}},
			"diago 0.6, Kamailio 0.7, Asterisk 2.4, FreeSWITCH 25", "control: the same way there and back through the relay",
		},
		{
			"M1", "G.711 two-way relay, CPU-s a call-minute, 100 calls",
			[]figure{{name: "M1", target: 0.075, decimal: 3}},
			"Kamailio + rtpengine 0.076, diago 0.093, Asterisk 0.12, FreeSWITCH 0.19", "0.048: 6,000 packets x 8 us plain UDP socket",
		},
		{
			"-", "M1 with packets evenly spaced, each one waking the server (no target; one run)",
			[]figure{{name: "M1 even", decimal: 3}},
			"-", "-",
		},
		{
			"M2", "most G.711 calls with at most 0.1 % of the packets lost (ladder, one run)",
			[]figure{{name: "M2", floor: 900}},
			"Kamailio + rtpengine 1000, diago 800, Asterisk 400, FreeSWITCH 300", "control: through the relay; the generator takes as much of the machine as the server",
		},
		{
			"M3", "one-way delay through the server, 100 calls, ms, p50 / p99",
			[]figure{{name: "M3", target: 0.15, decimal: 3}, {name: "M3 p99", target: 5, decimal: 2}},
			"diago 0.09, rtpengine 0.11, Asterisk 0.15, FreeSWITCH 12", "control: through the relay",
		},
		{
			"M4", "PCMU <-> Opus transcoded, CPU-s a call-minute, 20 calls",
			[]figure{{name: "M4", target: 0.40, decimal: 2}},
			"Asterisk 1.10, FreeSWITCH 1.3, rtpengine 1.32", "0.17 codec alone",
		},
		{
			"M5a", "browser <-> phone, PCMU relayed, CPU-s a call-minute, 50 calls",
			[]figure{{name: "M5a", target: 0.11, decimal: 3}},
			"Kamailio + rtpengine 0.10, FreeSWITCH 0.23, Asterisk 0.34", "0.06: 6,000 packets x 10 us",
		},
		{
			"M5b", "browser <-> browser, Opus relayed, CPU-s a call-minute, 50 calls",
			[]figure{{name: "M5b", target: 0.13, decimal: 3}},
			"Kamailio + rtpengine 0.10, FreeSWITCH 0.28, Asterisk 0.32", "0.072: each packet decrypted and encrypted",
		},
		{
			"M5c", "browser Opus <-> phone PCMU, transcoded, CPU-s a call-minute, 20 calls",
			[]figure{{name: "M5c", target: 0.45, decimal: 2}},
			"Asterisk 1.05, rtpengine 1.2, FreeSWITCH 1.4", "0.24: codec 0.17",
		},
		{
			"M5d", "set-up + 0.2 s of talk + BYE with digest, ICE and DTLS at 5/s, CPU ms: browser -> phone / browser -> browser",
			[]figure{{name: "M5d M5a", target: 3, decimal: 2}, {name: "M5d M5b", target: 4.5, decimal: 2}},
			"rtpengine 4.4 / 7.0, Asterisk 8.8 / 11, FreeSWITCH 22 / 28", "1 / 1.4",
		},
		{
			"M5e", "INVITE to both hear media, ms, p50 / p99 browser -> phone, then browser -> browser",
			[]figure{
				{name: "M5e M5a", target: 25, decimal: 1},
				{name: "M5e p99 M5a", target: 33, decimal: 1},
				{name: "M5e M5b", target: 25, decimal: 1},
				{name: "M5e p99 M5b", target: 35, decimal: 1},
			},
			"rtpengine 25 / 32, 117 / 142; Asterisk 28 / 35, 25 / 35; FreeSWITCH 107 / 128, 108 / 150", "20: the senders' clocks of 20 ms, the checks' of 5",
		},
		{
			"M5f", "memory of a standing call with one / two browsers, KB PSS (fresh server, first 100)",
			[]figure{{name: "M5f M5a", target: 180}, {name: "M5f M5b", target: 300}},
			"rtpengine 217 / 336, FreeSWITCH 945 / 1112, Asterisk 1377 / 2211", "-",
		},
		{
			"M5g", "registered idle browser, KB PSS / CPU ms to connect and register",
			[]figure{{name: "M5g", target: 22, decimal: 1}, {name: "M5g connect", target: 0.4, decimal: 2}},
			"FreeSWITCH 26 / 2.45, Kamailio 83 / 0.4, Asterisk 117 / 1.15", "20",
		},
		{
			"M6", "conference of G.711 legs, everybody speaks, CPU-s a participant-minute, 30 / 100 in the room",
			[]figure{{name: "M6 30", target: 0.09, decimal: 3}, {name: "M6 100", target: 0.08, decimal: 3}},
			"Asterisk 0.17 / 0.14, FreeSWITCH 0.20 / 0.20", "0.06: 0.05 RTP, 0.01 mixing",
		},
		{
			"M7", "recording a call, added CPU-s a call-minute",
			[]figure{{name: "M7", target: 0.03, decimal: 3}},
			"Asterisk 0.2", "-",
		},
		{
			"V1", "Voice API: POST /v1/calls to INVITE on the wire, ms, p50 / p99 (no target)",
			[]figure{{name: "V1", decimal: 2}, {name: "V1 p99", decimal: 2}},
			"-", "control: there and back through the relay",
		},
		{
			"V2", "webhooks of such a call, each signed and written down before it is sent (no target)",
			[]figure{{name: "V2", decimal: 1}},
			"-", "5: started, ringing, answered, the answer URL, completed",
		},
		{
			"V3", "CPU ms of such a call with its webhooks, at 20/s (no target)",
			[]figure{{name: "V3", decimal: 2}},
			"-", "-",
		},
		{
			"G1", "ring group of 10: winner's 200 to caller's 200, ms, p50 / p99",
			[]figure{{name: "G1", target: 0.6, decimal: 2}, {name: "G1 p99", target: 2, decimal: 2}},
			"Kamailio 0.30 / 1.1, Asterisk 1.6 / 2.7, FreeSWITCH 13.9 / 16", "control: one way through the relay",
		},
		{
			"G2", "winner's 200 to the last of nine CANCELs, ms, p50 / p99",
			[]figure{{name: "G2", target: 1.0, decimal: 2}, {name: "G2 p99", target: 2.5, decimal: 2}},
			"Kamailio 0.62 / 1.1, Asterisk 2.0 / 2.7, FreeSWITCH 12.6 / 13.9", "control: one way through the relay, once",
		},
		{
			"G3", "ring-group call, CPU ms",
			[]figure{{name: "G3", target: 4, decimal: 2}},
			"Kamailio 2.3, Asterisk 15.5, FreeSWITCH 42", "about 1: eleven legs",
		},
		{
			"K1", "memory of a standing relayed call, KB PSS (first 200)",
			[]figure{{name: "K1", target: 60}},
			"Kamailio 2-40, diago 36-150, FreeSWITCH 410, Asterisk 430", "-",
		},
		{
			"K2", "idle PSS, MB / start to ready, ms",
			[]figure{{name: "K2", target: 45, decimal: 1}, {name: "K2 ready", target: 300}},
			"diago 8, FreeSWITCH 32, Kamailio 47, Asterisk 62 (MB)", "-",
		},
		{
			"K3", "PSS a minute after 12 s of calls at 240/s, times idle PSS",
			[]figure{{name: "K3", target: 2, decimal: 1}},
			"Kamailio 4, FreeSWITCH 15, Asterisk 30", "-",
		},
		{
			"K4", "idle CPU after that, % of a core",
			[]figure{{name: "K4", target: 0.2, decimal: 2}},
			"Asterisk 0.7, FreeSWITCH 1.0-1.2", "-",
		},
		{
			"E1", "events/s of the exchange alone, one core: a call that rings three phones, beside 1,000 others",
			[]figure{{name: "E1", floor: 200_000}},
			"-", "-",
		},
	}
}

// sample is what was measured for a figure, one value a run.
type sample struct{ ours, control []float64 }

// report collects figures and faults.
type report struct {
	samples map[string]*sample
	faults  []string
	remarks []string
}

func newReport() *report { return &report{samples: make(map[string]*sample)} }

// add notes what one run measured; a control of 0 means there is none.
func (r *report) add(figure string, ours, control float64) {
	s := r.samples[figure]
	if s == nil {
		s = new(sample)
		r.samples[figure] = s
	}
	s.ours = append(s.ours, ours)
	if control != 0 {
		s.control = append(s.control, control)
	}
}

// fault notes what must not happen at any speed.
func (r *report) fault(where string, what ...string) {
	for _, w := range what {
		r.faults = append(r.faults, where+": "+w)
	}
}

// remark notes what a reader of the figures should know.
func (r *report) remark(format string, args ...any) {
	r.remarks = append(r.remarks, fmt.Sprintf(format, args...))
}

// median of an odd or even number of values, 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// table writes what was measured as Markdown.
func (r *report) table() string {
	var b strings.Builder
	b.WriteString("| row | work | peers | target | offhook | control | target met | limit |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, row := range rows() {
		if r.samples[row.figures[0].name] == nil {
			continue
		}
		var target, ours, control []string
		met := "yes"
		for _, f := range row.figures {
			s := r.samples[f.name]
			if s == nil {
				continue
			}
			value := median(s.ours)
			ours = append(ours, fmt.Sprintf("%.*f", f.decimal, value))
			if len(s.control) > 0 {
				control = append(control, fmt.Sprintf("%.*f", f.decimal, median(s.control)))
			}
			if aim := f.aim(); aim != "" {
				target = append(target, aim)
			}
			if !f.met(value) {
				met = "**no**"
			}
		}
		if len(control) == 0 {
			control = []string{"-"}
		}
		if len(target) == 0 {
			target, met = []string{"-"}, "-"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | **%s** | %s | %s | %s |\n", row.id, row.what, row.peers, strings.Join(target, " / "),
			strings.Join(ours, " / "), strings.Join(control, " / "), met, row.limit)
	}
	return b.String()
}

// notes writes faults and remarks as Markdown.
func (r *report) notes() string {
	var b strings.Builder
	if len(r.faults) == 0 {
		b.WriteString("Correctness over all runs: no failed call, no double answer, no missing CANCEL, no 200 without ACK, nothing left over.\n")
	}
	for _, f := range r.faults {
		b.WriteString("- **Fault**: " + f + "\n")
	}
	for _, m := range r.remarks {
		b.WriteString("- " + m + "\n")
	}
	return b.String()
}

// The generated part of the page stands between these lines; what is around it
// was written by hand.
const (
	beginMark = "<!-- make bench: begin -->\n"
	endMark   = "<!-- make bench: end -->\n"
)

// publish replaces the generated part of the page at path.
func (r *report) publish(path, binary, command string) error {
	text, err := os.ReadFile(path) //nolint:gosec // from our own command line
	if err != nil {
		return err
	}
	before, rest, found1 := strings.Cut(string(text), beginMark)
	_, after, found2 := strings.Cut(rest, endMark)
	if !found1 || !found2 {
		return errors.New(path + " has no place for the table")
	}
	page := before + beginMark + machine(binary) + "\nCommand: `" + command + "`\n\n" + r.dearness() + r.table() + "\n" + r.notes() + endMark + after
	return os.WriteFile(path, []byte(page), 0o644) //nolint:gosec // a page of the documentation
}

// targetFloor is what the targets take for the least that M1 can need: 6,000
// packets at 8 us of a plain UDP socket, in CPU-s a call-minute.
const targetFloor = 0.048

// dearness compares the control with that floor, as a paragraph.
func (r *report) dearness() string {
	s := r.samples["M1"]
	if s == nil || len(s.control) == 0 {
		return ""
	}
	control := median(s.control)
	return fmt.Sprintf("The control of M1 needed %.3f CPU-s a call-minute in these runs. The targets reckon with %.3f for the same packets, so a packet cost %.1f times that here: "+
		"by busier cores, by another clock of the generator, or both. Verdicts do not allow for it.\n\n", control, targetFloor, control/targetFloor)
}

// machine describes what was measured, where and when.
func machine(binary string) string {
	model := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, after, found := strings.Cut(string(text), "model name\t: "); found {
			model, _, _ = strings.Cut(after, "\n")
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease") // an empty one says enough
	version, _ := exec.Command(binary, "version").Output() //nolint:noctx,gosec // as above, at once
	return fmt.Sprintf("%s, %d cores, Linux %s, %s, %s, %s.\n", model, runtime.NumCPU(), strings.TrimSpace(string(kernel)),
		runtime.Version(), strings.TrimSpace(string(version)), time.Now().UTC().Format("2006-01-02 15:04 MST"))
}
