package sipedge

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/sip"
)

// Trunk is a trunk of the directory with its secret.
type Trunk struct {
	route.Trunk
	Password core.Secret

	uri     sip.Uri        // parsed Trunk.URI
	backups []sip.Uri      // parsed Trunk.Backups
	sources []netip.Prefix // AcceptFrom, else the address in URI
	tls     *tls.Config    // of CAFile, nil without
	codecs  []media.Codec  // of Codecs, nil is all
}

// compile reads what a trunk is made of.
func (t *Trunk) compile() error {
	uri, err := sip.ParseURI(t.URI)
	if err != nil {
		return err
	}
	t.uri, t.sources = uri, t.AcceptFrom
	if addr, err := netip.ParseAddr(strings.Trim(uri.Host, "[]")); err == nil && len(t.sources) == 0 {
		t.sources = []netip.Prefix{netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen())}
	}
	for _, text := range t.Backups {
		backup, err := sip.ParseURI(text)
		if err != nil {
			return err
		}
		t.backups = append(t.backups, backup)
	}
	for _, name := range t.Codecs {
		if i := slices.IndexFunc(codecs(), func(c media.Codec) bool { return strings.EqualFold(c.String(), name) }); i >= 0 {
			t.codecs = append(t.codecs, codecs()[i])
		}
	}
	if len(t.Codecs) > 0 && len(t.codecs) == 0 {
		return fmt.Errorf("none of the codecs %v is there", t.Codecs)
	}
	if t.CAFile != "" {
		t.tls, err = trusting(t.CAFile)
	}
	return err
}

// trusting returns a configuration that takes certificates of these authorities alone.
func trusting(file string) (*tls.Config, error) {
	pem, err := os.ReadFile(file) //nolint:gosec // the operator's own path
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New(file + " has no certificate")
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

// domain is the host part of our addresses on the trunk.
func (e *Edge) domainOn(t Trunk) string {
	if t.Domain != "" {
		return t.Domain
	}
	return e.cfg.Domain
}

// credentials answer the trunk's challenges, nil if there are none.
func (t Trunk) credentials() *sip.Credentials {
	if t.Username == "" {
		return nil
	}
	return &sip.Credentials{Username: t.Username, Password: t.Password.Reveal()}
}

// usable keeps of list what the trunk takes, in the trunk's order if it has one.
func usable(only, list []media.Codec) []media.Codec {
	if only == nil {
		return list
	}
	return slices.DeleteFunc(slices.Clone(only), func(c media.Codec) bool { return !slices.Contains(list, c) })
}

// has reports whether uri is a host of the trunk.
func (t Trunk) has(uri sip.Uri) bool {
	for _, own := range append([]sip.Uri{t.uri}, t.backups...) {
		if strings.EqualFold(own.Host, uri.Host) {
			return true
		}
	}
	addr, err := netip.ParseAddr(strings.Trim(uri.Host, "[]"))
	return err == nil && slices.ContainsFunc(t.sources, func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) })
}

// toTrunk reaches a number over a trunk, by the trunk's rules.
func (e *Edge) toTrunk(cmd core.Ring, by passed) (destination, error) {
	t, ok := e.trunks.Load().byName[cmd.Target.Trunk]
	if !ok {
		return destination{}, fmt.Errorf("trunk %s is gone", cmd.Target.Trunk)
	}
	number := t.Number(cmd.Target.Number)
	uri := t.uri
	uri.User = number
	to, err := e.toHost(uri, sip.Target{TLS: t.tls})
	if err != nil && len(t.backups) == 0 {
		return destination{}, err
	}
	for _, backup := range t.backups {
		backup.User = number
		to.backups = append(to.backups, backup)
	}
	if err != nil { // the place of the first that can be found
		if to, err = e.viaBackup(to, t); err != nil {
			return destination{}, err
		}
	}
	to.trunk, to.credentials = &t, t.credentials()
	e.present(&to, t, cmd, by)
	return to, nil
}

// viaBackup makes the first backup that can be found the destination.
func (e *Edge) viaBackup(to destination, t Trunk) (destination, error) {
	err := errors.New("no backup")
	for i, backup := range to.backups {
		var found destination
		if found, err = e.toHost(backup, sip.Target{TLS: t.tls}); err == nil {
			found.backups = to.backups[i+1:]
			return found, nil
		}
	}
	return destination{}, err
}

// present shows who calls, as the trunk wants it (RFC 3325, RFC 3323): one of our
// users who is shown to nobody is anonymous in From, and asserted to the carrier
// alone.
func (e *Edge) present(to *destination, t Trunk, cmd core.Ring, by passed) {
	domain := e.domainOn(t)
	caller := cmd.From
	caller.Number = t.Number(caller.Number)
	from := e.fromAddress(caller, domain)
	if known := from.URI.User != anonymous; known && t.Identity != "none" {
		to.headers = append(to.headers, asserted(t.Identity, from, by.private))
	}
	switch {
	case by.private:
		from = unknownCaller
		to.headers = append(to.headers, sip.NewHeader("Privacy", "id"))
	case t.FromUser != "":
		from.URI.User = t.FromUser
	}
	to.from = from
	if by.diverting != "" {
		if h := diversion(t.Diversion, t.Number(by.diverting), domain); h != nil {
			to.headers = append(to.headers, h)
		}
	}
	for _, h := range t.Headers {
		to.headers = append(to.headers, sip.NewHeader(h.Name, h.Value))
	}
	if t.KeepHeaders != "none" {
		to.headers = append(to.headers, by.headers...)
	}
}

// unknownCaller is the From of a caller who is shown to nobody (RFC 3323 section 4.1).
var unknownCaller = sip.Address{Name: "Anonymous", URI: sip.Uri{Scheme: "sip", User: anonymous, Host: "anonymous.invalid"}}

// asserted returns the header that asserts the caller's number.
func asserted(kind string, from sip.Address, private bool) sip.Header {
	value := "<" + from.URI.String() + ">"
	switch kind {
	case "ppi":
		return sip.NewHeader("P-Preferred-Identity", value)
	case "rpid":
		privacy := "off"
		if private {
			privacy = "full"
		}
		return sip.NewHeader("Remote-Party-ID", value+";party=calling;screen=yes;privacy="+privacy)
	}
	return sip.NewHeader("P-Asserted-Identity", value)
}

// diversion returns the header that names whom the caller dialled, nil if the trunk
// wants none.
func diversion(kind, number, domain string) sip.Header {
	switch kind {
	case "diversion":
		return sip.NewHeader("Diversion", "<sip:"+number+"@"+domain+">;reason=unconditional;counter=1")
	case "history":
		return sip.NewHeader("History-Info", "<sip:"+number+"@"+domain+">;index=1")
	}
	return nil
}

// maxFollows bounds the redirections of one leg.
const maxFollows = 3

// redirected follows a 3xx of a trunk that may lead to others of its hosts, and
// reports whether it does. The number stays: another one may cost anything.
func (l *leg) redirected(res *sip.Response) bool {
	if l.trunk == nil || !l.trunk.Redirects || l.follows == maxFollows || res == nil {
		return false
	}
	for _, h := range res.GetHeaders("Contact") {
		c, ok := h.(*sip.ContactHeader)
		if !ok || c.Address.User != l.sent.RequestURI.User || !l.trunk.has(c.Address) {
			continue
		}
		l.follows++
		l.log.Info("redirected", "to", c.Address.String())
		next := l.sent
		next.RequestURI, next.Backups = c.Address, nil
		l.send(next)
		return true
	}
	l.log.Info("redirection not followed", "contact", sip.HeaderValue(res, "Contact"))
	return false
}
