package speech

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestTextsAndSSML(t *testing.T) {
	slow := manner{rate: 0.75, pitch: 1}
	for _, c := range []struct {
		name, text string
		want       []run
	}{
		{"plain text", "  Hello,\n\tworld ", []run{{text: "Hello, world", manner: plain()}}},
		{"plain text with what looks like a tag", "a < b & c", []run{{text: "a < b & c", manner: plain()}}},
		{"control characters are no orders to an engine", "a\x01b\x1bc", []run{{text: "a b c", manner: plain()}}},
		{"speak alone", "<speak>Hello</speak>", []run{{text: "Hello", manner: plain()}}},
		{"the five entities", "<speak>a &lt;&amp;&gt; &quot;b&apos; &#65;</speak>", []run{{text: `a <&> "b' A`, manner: plain()}}},
		{"break by time", `<speak>a<break time="1.5s"/>b</speak>`, []run{{"a", plain(), 1500 * time.Millisecond}, {text: "b", manner: plain()}}},
		{"break by strength", `<speak>a<break strength="weak"/>b<break/></speak>`, []run{{"a", plain(), weak}, {"b", plain(), medium}}},
		{"a break is bounded", `<speak>a<break time="10h"/></speak>`, []run{{"a", plain(), maxPause}}},
		{"a break first", `<speak><break time="200ms"/>a</speak>`, []run{{"", plain(), 200 * time.Millisecond}, {text: "a", manner: plain()}}},
		{"digits", `<speak>Code <say-as interpret-as="digits">407</say-as>.</speak>`, []run{{text: "Code 4 0 7 .", manner: plain()}}},
		{"characters", `<speak><say-as interpret-as="characters">aB1</say-as></speak>`, []run{{text: "a B 1", manner: plain()}}},
		{"telephone", `<speak><say-as interpret-as="telephone">+1 (299) 555-88</say-as></speak>`, []run{{text: "plus 1, 2 9 9, 5 5 5, 8 8", manner: plain()}}},
		{"cardinal", `<speak><say-as interpret-as="cardinal">1,234</say-as></speak>`, []run{{text: "1234", manner: plain()}}},
		{"date", `<speak><say-as interpret-as="date">2026-03-05</say-as></speak>`, []run{{text: "March 5, 2026", manner: plain()}}},
		{"currency is left to the engine", `<speak><say-as interpret-as="currency">$12.50</say-as></speak>`, []run{{text: "$12.50", manner: plain()}}},
		{"sub", `<speak><sub alias="World Wide Web">WWW</sub> rules</speak>`, []run{{text: "World Wide Web rules", manner: plain()}}},
		{"emphasis and unknown tags keep their text", `<speak>a <emphasis level="strong">b</emphasis> <amazon:x y="1">c</amazon:x></speak>`, []run{{text: "a b c", manner: plain()}}},
		{"paragraphs and sentences", `<speak><p><s>One.</s><s>Two.</s></p>Three</speak>`, []run{{"One.", plain(), medium}, {"Two.", plain(), medium + strong}, {text: "Three", manner: plain()}}},
		{"prosody", `<speak>a <prosody rate="slow">b</prosody> c</speak>`, []run{{text: "a", manner: plain()}, {text: "b", manner: slow}, {text: "c", manner: plain()}}},
		{"prosody within prosody", `<speak><prosody rate="200%" volume="+6dB"><prosody pitch="+12st" rate="50%">a</prosody></prosody></speak>`, []run{{text: "a", manner: manner{rate: 1, pitch: 2, gain: 6}}}},
		{"prosody that cannot be read", `<speak><prosody rate="quick" pitch="NaN" volume="very">a</prosody></speak>`, []run{{text: "a", manner: plain()}}},
		{"a document type means nothing", `<?xml version="1.0"?><!DOCTYPE speak PUBLIC "-//W3C//DTD SYNTHESIS 1.0//EN" "http://www.w3.org/x.dtd"><speak>a</speak>`, []run{{text: "a", manner: plain()}}},
		{"a declaration", `<?xml version="1.0"?><speak>a</speak>`, []run{{text: "a", manner: plain()}}},
	} {
		got, err := parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
			continue
		}
		for i := range got {
			if got[i].text != c.want[i].text || got[i].pause != c.want[i].pause || math.Abs(got[i].rate-c.want[i].rate) > 1e-9 ||
				math.Abs(got[i].pitch-c.want[i].pitch) > 1e-9 || math.Abs(got[i].gain-c.want[i].gain) > 1e-9 {
				t.Errorf("%s: run %d is %+v, want %+v", c.name, i, got[i], c.want[i])
			}
		}
	}
}

func TestTextsThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       error
	}{
		{"nothing", " \n", ErrEmpty},
		{"no text in tags", "<speak><break/></speak>", nil}, // silence is something
		{"empty speak", "<speak> </speak>", ErrEmpty},
		{"too long", strings.Repeat("a", MaxText+1), ErrTooLong},
		{"too long within tags", "<speak>" + strings.Repeat("ab ", MaxText/3+1) + "</speak>", ErrTooLong},
		{"long tags with little text", "<speak><p a='" + strings.Repeat("x", MaxText) + "'>a</p></speak>", nil},
		{"more tags than anybody needs", "<speak>a" + strings.Repeat("<break/>", maxMarkup) + "</speak>", ErrTooLong},
		{"not closed", "<speak>a", ErrMarkup},
		{"crossing tags", "<speak><p><s>a</p></s></speak>", ErrMarkup},
		{"an entity of HTML", "<speak>a&nbsp;b</speak>", ErrMarkup},
		{"a billion laughs", `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">]><speak>&lol;</speak>`, ErrMarkup},
		{"too deep", "<speak>" + strings.Repeat("<p>", maxDepth) + "a" + strings.Repeat("</p>", maxDepth) + "</speak>", ErrMarkup},
		{"too many runs", "<speak>" + strings.Repeat("a<break/>", maxRuns+1) + "</speak>", ErrMarkup},
		{"not UTF-8", "a\xff", ErrTooLong},
	} {
		if _, err := parse(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("<speak>a<break time='1s'/><prosody rate='+10%'>b</prosody></speak>")
	f.Add("plain")
	f.Fuzz(func(t *testing.T, text string) {
		runs, err := parse(text)
		var pauses time.Duration
		for _, r := range runs {
			pauses += r.pause
			if r.rate < 0.25 || r.rate > 4 || r.pitch < 0.25 || r.pitch > 4 || r.gain > 20 || r.pause < 0 {
				t.Errorf("%q gives %+v", text, r)
			}
		}
		if err == nil && (len(runs) == 0 || pauses > maxPauses) {
			t.Errorf("%q gives %d runs and %v of silence", text, len(runs), pauses)
		}
	})
}
