package sipedge

import (
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
	target      sip.Target
	place       place
	headers     []sip.Header
	credentials *sip.Credentials
}

// destination resolves a Ring. It may look up a host name.
func (e *Edge) destination(cmd core.Ring) (destination, error) {
	switch {
	case cmd.Target.Contact != "":
		return e.toContact(cmd)
	case cmd.Target.Trunk != "":
		return e.toTrunk(cmd)
	case cmd.Target.URI != "":
		return e.toURI(cmd)
	}
	return destination{}, errors.New("empty target")
}

// toContact reaches a registered phone down the flow it registered on.
func (e *Edge) toContact(cmd core.Ring) (destination, error) {
	b, ok := e.bindings.get(cmd.Target.Contact)
	if !ok || !b.flow.Alive() {
		return destination{}, errors.New("registration is gone")
	}
	to := destination{uri: b.uri, flow: b.flow, from: e.fromAddress(cmd.From, e.cfg.Domain)}
	to.to = sip.Address{URI: sip.Uri{Scheme: "sip", User: b.user.Name, Host: e.cfg.Domain}}
	to.place = e.placeOn(b.flow)
	return to, nil
}

// toTrunk reaches a number over a trunk.
func (e *Edge) toTrunk(cmd core.Ring) (destination, error) {
	t, ok := e.trunks.Load().byName[cmd.Target.Trunk]
	if !ok {
		return destination{}, fmt.Errorf("trunk %s is gone", cmd.Target.Trunk)
	}
	uri := t.uri
	uri.User = cmd.Target.Number
	domain := t.Domain
	if domain == "" {
		domain = e.cfg.Domain
	}
	to, err := e.toHost(uri, cmd, domain)
	if err != nil {
		return destination{}, err
	}
	if t.Username != "" {
		to.credentials = &sip.Credentials{Username: t.Username, Password: t.Password.Reveal()}
	}
	if n := to.from.URI.User; n != anonymous {
		to.headers = append(to.headers, sip.NewHeader("P-Asserted-Identity", "<sip:"+n+"@"+domain+">"))
	}
	return to, nil
}

// toURI reaches a SIP URI of the configuration.
func (e *Edge) toURI(cmd core.Ring) (destination, error) {
	uri, err := sip.ParseURI(cmd.Target.URI)
	if err != nil {
		return destination{}, err
	}
	return e.toHost(uri, cmd, e.cfg.Domain)
}

func (e *Edge) toHost(uri sip.Uri, cmd core.Ring, domain string) (destination, error) {
	target, at, err := resolve(uri)
	if err != nil {
		return destination{}, err
	}
	to := destination{uri: uri, target: target, from: e.fromAddress(cmd.From, domain)}
	to.to = sip.Address{URI: sip.Uri{Scheme: uri.Scheme, User: uri.User, Host: uri.Host, Port: uri.Port}}
	to.place = e.placeTowards(at.Addr())
	to.place.encrypted = encryptedTo(uri)
	return to, nil
}

// anonymous is the user part for a caller without number (RFC 3261 section 8.1.1.3).
const anonymous = "anonymous"

// fromAddress shows who calls. The display name falls back to the number:
// some clients show nothing else.
func (e *Edge) fromAddress(p core.Party, domain string) sip.Address {
	user := p.Number
	if user == "" {
		user = p.User.Name
	}
	if user == "" {
		user = anonymous
	}
	name := p.Name
	if name == "" {
		name = user
	}
	return sip.Address{Name: printable(name), URI: sip.Uri{Scheme: "sip", User: user, Host: domain}}
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
