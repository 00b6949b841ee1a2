package config

import (
	"errors"
	"fmt"
	"net/url"
)

// Voice is the Voice API, with which applications program calls.
type Voice struct {
	// URL is our own address as applications see it, such as https://phone.example.com.
	// Default: that of http.listen at network.public, or at this machine.
	URL string `yaml:"url"`
	// FileBase is the address that applications are told to fetch recordings from, and
	// RegionURL the one of the API that answer webhooks carry. Default: URL.
	FileBase  string `yaml:"file_base"`
	RegionURL string `yaml:"region_url"`
	// LenientFinishedLeg answers a request to play to a leg that has ended with 200,
	// as if it had been in time. Default true: applications in the field do not expect
	// the 404.
	LenientFinishedLeg bool `yaml:"lenient_finished_leg"`
	// RecordAside lets a recording that only a time-out ends run beside the actions
	// that follow, as older applications expect. Default false: they wait for its end.
	RecordAside bool `yaml:"record_aside"`
	// WebhookRewrite leads webhooks for an origin to another, which keeps the Host
	// header: "https://app.test" to "http://127.0.0.1:8000". For applications on this
	// machine that have no certificate of their own.
	WebhookRewrite map[string]string `yaml:"webhook_rewrite"`
	// WebhookHosts are what URLs that scripts and requests name may lead to although it
	// is not public: names, addresses and networks. The hosts of an application's own
	// webhooks always may.
	WebhookHosts []string `yaml:"webhook_hosts"`
	// WebhookCAFile is a PEM file of the authorities that certificates of applications
	// are checked against, besides the system's.
	WebhookCAFile string `yaml:"webhook_ca_file"`
}

// Validate checks the section.
func (c Voice) Validate() error {
	var errs []error
	for _, u := range []struct{ path, text string }{
		{"voice.url", c.URL}, {"voice.file_base", c.FileBase}, {"voice.region_url", c.RegionURL},
	} {
		if u.text == "" {
			continue
		}
		if at, err := url.Parse(u.text); err != nil || at.Host == "" || at.Path != "" || at.Scheme != "http" && at.Scheme != "https" {
			errs = append(errs, fmt.Errorf("%s: %q is not an address such as https://phone.example.com, without a slash at the end", u.path, u.text))
		}
	}
	for from, to := range c.WebhookRewrite {
		if !isOrigin(from) || !isOrigin(to) {
			errs = append(errs, fmt.Errorf("voice.webhook_rewrite: %q to %q: both must be like https://app.test:8443, without a path", from, to))
		}
	}
	return errors.Join(errs...)
}

// isOrigin reports whether text is a scheme of HTTP, a host and perhaps a port.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && text == u.Scheme+"://"+u.Host
}
