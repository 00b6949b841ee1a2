package tone

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Plan is a country's tones. Each cadence repeats for ever.
type Plan struct {
	Ringback   []Burst // the phone called rings
	Busy       []Burst
	Congestion []Burst // there is no way there; "reorder", "fast busy"
}

// row is a country's tones as text: "440+480/2000,0/4000" is two seconds of both
// frequencies and four of silence.
type row struct{ country, ringback, busy, congestion string }

// table are the tones of ITU-T E.180 Supplement 2 and of national documents where
// that leaves a choice, by ISO 3166 code in small letters. A modulated tone, "400*25"
// there, is written as the frequencies it consists of. "eu" is what most of Europe
// uses.
func table() []row {
	return []row{
		{"at", "420/1000,0/5000", "420/400,0/400", "420/200,0/200"},
		{"au", "413+438/400,0/200,413+438/400,0/2000", "425/375,0/375", "425/375,0/375"},
		{"be", "425/1000,0/3000", "425/500,0/500", "425/165,0/165"},
		{"bg", "425/1000,0/4000", "425/500,0/500", "425/250,0/250"},
		{"br", "425/1000,0/4000", "425/250,0/250", "425/250,0/250,425/750,0/250"},
		{"ca", "440+480/2000,0/4000", "480+620/500,0/500", "480+620/250,0/250"},
		{"ch", "425/1000,0/4000", "425/500,0/500", "425/200,0/200"},
		{"cl", "400/1000,0/3000", "400/500,0/500", "400/200,0/200"},
		{"cn", "450/1000,0/4000", "450/350,0/350", "450/700,0/700"},
		{"cz", "425/1000,0/4000", "425/330,0/330", "425/165,0/165"},
		{"de", "425/1000,0/4000", "425/480,0/480", "425/240,0/240"},
		{"dk", "425/1000,0/4000", "425/500,0/500", "425/200,0/200"},
		{"ee", "425/1000,0/4000", "425/300,0/300", "425/200,0/200"},
		{"es", "425/1500,0/3000", "425/200,0/200", "425/200,0/200,425/200,0/200,425/200,0/600"},
		{"eu", "425/1000,0/4000", "425/500,0/500", "425/250,0/250"},
		{"fi", "425/1000,0/4000", "425/300,0/300", "425/200,0/200"},
		{"fr", "440/1500,0/3500", "440/500,0/500", "440/250,0/250"},
		{"gb", "400+450/400,0/200,400+450/400,0/2000", "400/375,0/375", "400/400,0/350,400/225,0/525"},
		{"gr", "425/1000,0/4000", "425/300,0/300", "425/200,0/200"},
		{"hk", "440+480/400,0/200,440+480/400,0/3000", "480+620/500,0/500", "480+620/250,0/250"},
		{"hu", "425/1250,0/3750", "425/300,0/300", "425/300,0/300"},
		{"id", "425/1000,0/4000", "425/500,0/500", "425/250,0/250"},
		{"ie", "400+450/400,0/200,400+450/400,0/2000", "425/500,0/500", "425/250,0/250"},
		{"il", "414/1000,0/3000", "414/500,0/500", "414/250,0/250"},
		{"in", "375+400+425/400,0/200,375+400+425/400,0/2000", "400/750,0/750", "400/250,0/250"},
		{"it", "425/1000,0/4000", "425/500,0/500", "425/200,0/200"},
		{"jp", "384+416/1000,0/2000", "400/500,0/500", "400/500,0/500"},
		{"kr", "440+480/1000,0/2000", "480+620/500,0/500", "480+620/300,0/200"},
		{"lt", "425/1000,0/4000", "425/350,0/350", "425/200,0/200"},
		{"mx", "425/1000,0/4000", "425/250,0/250", "425/250,0/250"},
		{"my", "425/400,0/200,425/400,0/2000", "425/500,0/500", "425/500,0/500"},
		{"nl", "425/1000,0/4000", "425/500,0/500", "425/250,0/250"},
		{"no", "425/1000,0/4000", "425/500,0/500", "425/200,0/200"},
		{"nz", "400+450/400,0/200,400+450/400,0/2000", "400/500,0/500", "400/250,0/250"},
		{"ph", "425+480/1000,0/4000", "480+620/500,0/500", "480+620/250,0/250"},
		{"pl", "425/1000,0/4000", "425/500,0/500", "425/500,0/500"},
		{"pt", "425/1000,0/5000", "425/500,0/500", "425/200,0/200"},
		{"ru", "425/1000,0/4000", "425/350,0/350", "425/175,0/175"},
		{"se", "425/1000,0/5000", "425/250,0/250", "425/250,0/750"},
		{"sg", "401+425+449/400,0/200,401+425+449/400,0/2000", "425/750,0/750", "425/250,0/250"},
		{"th", "420/1000,0/5000", "400/500,0/500", "400/300,0/300"},
		{"tw", "440+480/1000,0/2000", "480+620/500,0/500", "480+620/250,0/250"},
		{"us", "440+480/2000,0/4000", "480+620/500,0/500", "480+620/250,0/250"},
		{"ve", "425/1000,0/4000", "425/500,0/500", "425/250,0/250"},
		{"za", "367+400+433/400,0/200,367+400+433/400,0/2000", "400/500,0/500", "400/250,0/250"},
	}
}

// defaultCountry is whose tones are used for a country that is not in the table.
const defaultCountry = "us"

// Of returns a country's plan, that of the United States for an unknown one.
func Of(country string) Plan {
	var usual Plan
	for _, r := range table() {
		switch r.country {
		case country:
			return r.plan()
		case defaultCountry:
			usual = r.plan()
		}
	}
	return usual
}

// Countries returns the codes that Of knows, in order.
func Countries() []string {
	var list []string
	for _, r := range table() {
		list = append(list, r.country)
	}
	return list
}

func (r row) plan() Plan {
	return Plan{Ringback: cadence(r.ringback), Busy: cadence(r.busy), Congestion: cadence(r.congestion)}
}

// cadence reads the text of the table, which a test reads, too: it panics at what
// is no cadence.
func cadence(text string) []Burst {
	var list []Burst
	for part := range strings.SplitSeq(text, ",") {
		tones, length, _ := strings.Cut(part, "/")
		burst := Burst{For: time.Duration(number(length)) * time.Millisecond}
		for hz := range strings.SplitSeq(tones, "+") {
			if hz != "0" {
				burst.Hz = append(burst.Hz, float64(number(hz)))
			}
		}
		list = append(list, burst)
	}
	return list
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		panic(fmt.Sprintf("tone: %q in the table", text))
	}
	return n
}
