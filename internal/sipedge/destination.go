package sipedge

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// contactUser is the user part of our Contact in calls we make.
const contactUser = "offhook"

// destination is where and as whom an outgoing INVITE goes.
type destination struct {
	uri         sip.Uri
	from, to    sip.Address
	flow        sip.Flow
	instance    string // of the phone that flow leads to, "" if none
	target      sip.Target
	backups     []sip.Uri   // where else it goes
	route       []sip.Route // the proxies on the way
	trunk       *Trunk      // nil for other destinations
	place       place
	headers     []sip.Header
	credentials *sip.Credentials
}

// destination resolves a Ring. It may look up a host name.
func (e *Edge) destination(cmd core.Ring, by passed) (destination, error) {
	switch {
	case cmd.Target.Contact != "":
		return e.toContact(cmd, by)
	case cmd.Target.Trunk != "":
		return e.toTrunk(cmd, by)
	case cmd.Target.URI != "":
		return e.toURI(cmd, by)
	}
	return destination{}, errors.New("empty target")
}

// toContact reaches a registered phone down the flow it registered on.
func (e *Edge) toContact(cmd core.Ring, by passed) (destination, error) {
	b, ok := e.bindings.get(cmd.Target.Contact)
	if !ok {
		return destination{}, errors.New("registration is gone")
	}
	to := destination{uri: b.uri, flow: b.flow, instance: b.instance, from: e.fromAddress(cmd.From, e.cfg.Domain)}
	to.to = sip.Address{URI: sip.Uri{Scheme: "sip", User: sip.EscapeUser(b.user.Name), Host: e.cfg.Domain}}
	to.place = e.placeOn(b.flow)
	to.route = b.path
	to.show(by)
	return to, nil
}

// toURI reaches a SIP URI of the configuration.
func (e *Edge) toURI(cmd core.Ring, by passed) (destination, error) {
	uri, err := sip.ParseURI(cmd.Target.URI)
	if err != nil {
		return destination{}, err
	}
	to, err := e.toHost(uri, sip.Target{})
	to.from = e.fromAddress(cmd.From, e.cfg.Domain)
	to.show(by)
	return to, err
}

// show adds what the caller sent along, and hides a caller who wants that.
func (to *destination) show(by passed) {
	if by.private {
		to.from = unknownCaller
	}
	to.headers = append(to.headers, by.headers...)
}

// toHost is a destination whose media goes where the best server of uri is.
func (e *Edge) toHost(uri sip.Uri, target sip.Target) (destination, error) {
	ctx, cancel := context.WithTimeout(context.Background(), resolveTime)
	defer cancel()
	servers, err := e.stack.Servers(ctx, target, uri)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no name server said within %v where %s is: %w", resolveTime, uri.Host, err)
	}
	if err != nil {
		return destination{}, err
	}
	to := destination{uri: uri, target: target}
	to.to = sip.Address{URI: sip.Uri{Scheme: uri.Scheme, User: uri.User, Host: uri.Host, Port: uri.Port}}
	to.place = e.placeTowards(servers[0].Addr())
	to.place.encrypted = encryptedTo(uri)
	return to, nil
}

// anonymous is the user part for a caller without number (RFC 3261 section 8.1.1.3).
const anonymous = "anonymous"

// fromAddress shows who calls. The display name falls back to the number:
// some clients show nothing else. The name of an application's user is no address.
func (e *Edge) fromAddress(p core.Party, domain string) sip.Address {
	user := p.Number
	if user == "" && p.User.App == "" {
		user = p.User.Name
	}
	if user == "" {
		user = anonymous
	}
	name := p.Name
	if name == "" {
		name = user
	}
	return sip.Address{Name: printable(name), URI: sip.Uri{Scheme: "sip", User: sip.EscapeUser(user), Host: domain}}
}

// printable drops what cannot stand in a quoted display name.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == '"' || r == '\\' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
