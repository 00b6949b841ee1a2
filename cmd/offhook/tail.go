package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/api/native"
)

// tailCmd follows the events of a running exchange.
type tailCmd struct {
	access
	Call  string `help:"Only changes in this call."`
	Leg   string `help:"Only changes of this leg."`
	App   string `help:"Only legs of this application."`
	JSON  bool   `help:"Print the events as the API has them, one line each."`
	Count int    `help:"End after so many events; 0 is never."`
}

// tailAgain is the wait before a lost connection is made again.
const tailAgain = time.Second

// Run prints events until a signal. A connection that was there and is lost is made
// again: exchanges are restarted. One that cannot be made at first is an error.
func (c tailCmd) Run(ctx context.Context, stdout io.Writer) error {
	for connected := false; ; {
		client, err := c.client(ctx)
		if err == nil {
			client.http = &http.Client{} // an event may be long in coming
			err = c.follow(ctx, client, stdout, func() { connected = true })
		}
		_, refused := errors.AsType[*problemError](err)
		switch {
		case ctx.Err() != nil || errors.Is(err, errCounted):
			return nil //nolint:nilerr // this is how it is to end
		case err != nil && (!connected || refused):
			return err
		}
		fmt.Fprintln(os.Stderr, "offhook: connection lost, trying again")
		select {
		case <-time.After(tailAgain):
		case <-ctx.Done():
			return nil
		}
	}
}

// errCounted ends a tail with --count.
var errCounted = errors.New("all that was asked for")

// follow prints what one connection brings.
func (c tailCmd) follow(ctx context.Context, client apiClient, stdout io.Writer, connected func()) error {
	query := url.Values{}
	for name, value := range map[string]string{"call": c.Call, "leg": c.Leg, "app": c.App, "limit": strconv.Itoa(c.Count)} {
		if value != "" {
			query.Set(name, value)
		}
	}
	resp, err := client.send(ctx, http.MethodGet, "events?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		return errors.Join(refusalOf(resp, answer), err)
	}
	connected()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxAnswer)
	printed := 0
	for lines.Scan() {
		text, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if err := c.print(stdout, text); err != nil {
			return err
		}
		printed++
	}
	if c.Count > 0 && printed == c.Count {
		return errCounted
	}
	return lines.Err()
}

func (c tailCmd) print(stdout io.Writer, text string) error {
	if c.JSON {
		_, err := fmt.Fprintln(stdout, text)
		return err
	}
	var e native.Event
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return err
	}
	_, err := fmt.Fprintln(stdout, eventLine(e))
	return err
}

// eventLine is an event for people, in one line.
func eventLine(e native.Event) string {
	words := []string{
		e.At.Local().Format("15:04:05.000"), fmt.Sprintf("%-9s", e.Kind), string(e.Leg), e.Direction, e.Edge,
		partyWord(e.From) + " -> " + partyWord(e.To),
	}
	add := func(name, value string) {
		if value != "" {
			words = append(words, name+"="+value)
		}
	}
	add("call", string(e.Call))
	add("app", e.App)
	add("peer", string(e.Peer))
	add("slot", e.Slot)
	if e.Kind == "ended" {
		add("cause", strconv.Itoa(e.Cause))
		if e.Reason != "none" {
			add("reason", e.Reason)
		}
		if e.Code != 0 {
			add("code", strconv.Itoa(e.Code))
		}
	}
	if e.Diagnosis != "" {
		add("why", strconv.Quote(e.Diagnosis))
	}
	return strings.Join(words, " ")
}

// partyWord is the shortest that says who it is.
func partyWord(p native.Party) string {
	for _, word := range []string{p.User, p.Number, p.Trunk} {
		if word != "" {
			// Names come from the network: no terminal shall obey them.
			return strings.Trim(strconv.Quote(word), `"`)
		}
	}
	return "unknown"
}
