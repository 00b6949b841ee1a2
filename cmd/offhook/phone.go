package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/phone"
)

type phoneCmd struct {
	Server    string        `arg:"" help:"SIP server, host:port."`
	User      string        `short:"u" default:"offhook-phone" help:"User part of our address, and name for digest."`
	Password  string        `short:"p" env:"OFFHOOK_PHONE_PASSWORD" help:"Password for digest."`
	Transport string        `default:"udp" enum:"udp,tcp,tls" help:"udp, tcp or tls."`
	Insecure  bool          `help:"With tls: do not check the server's certificate."`
	Register  bool          `short:"r" help:"Register, so that others can call us."`
	Dial      string        `short:"d" placeholder:"NUMBER" help:"Call this number, user or SIP URI."`
	Answer    bool          `short:"a" help:"Answer every call."`
	After     time.Duration `default:"0s" help:"With --answer: ring that long first."`
	Codecs    string        `default:"opus,pcmu,pcma" help:"Codecs to offer, best first."`
	Tone      float64       `help:"Say a tone of this many Hz."`
	Play      string        `type:"existingfile" placeholder:"WAV" help:"Say what is in this file, over and over."`
	Record    string        `placeholder:"WAV" help:"Write what the last call heard (at most 10 s) into this file."`
	Hear      float64       `help:"Look for a tone of this many Hz and tell how pure it came."`
	Digits    string        `help:"Press these keys once the call is up."`
	For       time.Duration `default:"0s" help:"Hang up and leave after that long; 0 is at the end of the call, or by a signal."`
}

// Run is a phone until its call ends, the time is over or a signal comes. Events
// are printed as one JSON object a line. Lines on standard input are commands:
// answer, decline, hangup, hold, resume, digits KEYS, dial NUMBER, quit.
func (c phoneCmd) Run(ctx context.Context, stdout io.Writer) error {
	if c.Dial == "" && !c.Register {
		return errors.New("nothing to do: use --dial NUMBER, --register, or both")
	}
	say, err := c.source()
	if err != nil {
		return err
	}
	codecs, err := parseCodecs(c.Codecs)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if c.For > 0 {
		ctx, cancel = context.WithTimeout(ctx, c.For)
		defer cancel()
	}
	s := &phoneSession{cmd: c, done: cancel, out: json.NewEncoder(stdout)}
	cfg := phone.Config{
		User: c.User, Password: c.Password, Server: c.Server, Transport: c.Transport, Register: c.Register,
		AutoAnswer: c.Answer, AnswerAfter: c.After, Codecs: codecs, Say: say, Tone: c.Hear, Events: s.event,
	}
	if c.Insecure {
		cfg.TLS = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // asked for by name, for tests
	}
	p, err := phone.New(ctx, cfg)
	if err != nil {
		return err
	}
	s.set(p)
	defer p.Close()
	if c.Dial != "" {
		if _, err := p.Dial(c.Dial, phone.DialOptions{}); err != nil {
			return err
		}
	}
	go s.commands(os.Stdin)
	<-ctx.Done()
	return s.finish()
}

// source returns what the phone says in each call.
func (c phoneCmd) source() (func() phone.Source, error) {
	switch {
	case c.Play != "":
		f, err := os.Open(c.Play)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		pcm, err := phone.ReadWAV(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Play, err)
		}
		return func() phone.Source { return phone.Recording(pcm, true) }, nil
	case c.Tone != 0:
		return func() phone.Source { return phone.Tone(c.Tone) }, nil
	}
	return nil, nil
}

func parseCodecs(list string) ([]media.Codec, error) {
	known := map[string]media.Codec{"opus": media.Opus, "pcmu": media.PCMU, "pcma": media.PCMA}
	var codecs []media.Codec
	for name := range strings.SplitSeq(list, ",") {
		codec, ok := known[strings.ToLower(strings.TrimSpace(name))]
		if !ok {
			return nil, fmt.Errorf("--codecs: %q is none of opus, pcmu, pcma", name)
		}
		codecs = append(codecs, codec)
	}
	return codecs, nil
}

// phoneSession is what happens while the command runs.
type phoneSession struct {
	cmd  phoneCmd
	done context.CancelFunc
	out  *json.Encoder

	mu    sync.Mutex // guards what follows
	phone *phone.Phone
	last  *phone.Call
}

func (s *phoneSession) set(p *phone.Phone) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phone = p
}

// event prints an event, presses the keys asked for, and ends a phone that was
// started for one call. Events come one at a time.
func (s *phoneSession) event(ev phone.Event) {
	if err := s.out.Encode(ev); err != nil {
		s.done()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phone != nil {
		if call := s.phone.Call(ev.Call); call != nil {
			s.last = call
		}
	}
	if ev.Kind == phone.Answered && s.cmd.Digits != "" && s.last != nil {
		s.last.Digits(s.cmd.Digits)
	}
	if ev.Kind == phone.Ended && s.cmd.Dial != "" && !s.cmd.Register {
		s.done()
	}
}

// commands reads commands until the input ends.
func (s *phoneSession) commands(in io.Reader) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		word, rest, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		s.command(word, strings.TrimSpace(rest))
	}
}

func (s *phoneSession) command(word, rest string) {
	s.mu.Lock()
	p, call := s.phone, s.last
	s.mu.Unlock()
	switch {
	case word == "":
	case word == "quit":
		s.done()
	case word == "dial":
		if _, err := p.Dial(rest, phone.DialOptions{}); err != nil {
			fmt.Fprintln(os.Stderr, "offhook:", err)
		}
	case call == nil:
		fmt.Fprintln(os.Stderr, "offhook: there is no call")
	case word == "answer":
		call.Answer()
	case word == "decline":
		call.Decline(603)
	case word == "hangup":
		call.HangUp()
	case word == "hold":
		call.Hold()
	case word == "resume":
		call.Resume()
	case word == "digits":
		call.Digits(rest)
	default:
		fmt.Fprintf(os.Stderr, "offhook: %q is none of answer, decline, hangup, hold, resume, digits, dial, quit\n", word)
	}
}

// finish writes the recording.
func (s *phoneSession) finish() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd.Record == "" || s.last == nil {
		return nil
	}
	f, err := os.Create(s.cmd.Record)
	if err != nil {
		return err
	}
	return errors.Join(file.EncodeWAV(f, 8000, 1, s.last.Heard(10*time.Second)), f.Close())
}
