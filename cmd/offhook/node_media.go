package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/rtc"
	"github.com/offhook/offhook/internal/speech"
)

// openMedia starts the media server and the port of the browsers.
func (n *node) openMedia(ctx context.Context) error {
	var err error
	if n.sounds, err = newSounds(n.cfg.Media, n.trusted, n.log); err != nil {
		return err
	}
	n.onClose(n.sounds.Close)
	speaker, err := newSpeaker(ctx, n.cfg, n.log)
	if err != nil {
		return err
	}
	n.onClose(speaker.Close)
	n.media = media.NewServer(media.Config{
		Events: poster(n.post), Prompt: speech.Prompt, Files: n.sounds, Speaker: speaker,
		Ringback: n.cfg.Resources.Dialling.Country, Log: n.log,
	})
	n.onClose(n.media.Close)
	return n.openWebRTC(ctx)
}

// openWebRTC opens the ports of all browsers' audio.
func (n *node) openWebRTC(ctx context.Context) error {
	const udpKey, tcpKey = "media.webrtc_udp", "media.webrtc_tcp"
	cfg := rtc.Config{Loopback: true, Loop: &n.audio, Log: n.log}
	var err error
	if cfg.Listen, err = resolveListen(n.cfg.Media.WebRTCUDP); err != nil {
		return fmt.Errorf("%s: %w", udpKey, err)
	}
	if n.cfg.Media.WebRTCTCP != "" {
		if cfg.ListenTCP, err = resolveListen(n.cfg.Media.WebRTCTCP); err != nil {
			return fmt.Errorf("%s: %w", tcpKey, err)
		}
	}
	near(&cfg)
	if cfg.Public, err = n.publicAddrs(ctx); err != nil {
		return err
	}
	n.rtc, err = rtc.NewServer(cfg)
	if failed, ok := errors.AsType[*net.OpError](err); ok && failed.Net == "tcp" {
		return busy(tcpKey, n.cfg.Media.WebRTCTCP, err)
	}
	if err != nil {
		return busy(udpKey, n.cfg.Media.WebRTCUDP, err)
	}
	n.onClose(func() { n.logged("close webrtc", n.rtc.Close()) })
	return nil
}

// near makes of a loopback address to listen at all addresses for browsers on this
// machine, which is who can be meant: Firefox reaches no loopback address.
func near(c *rtc.Config) {
	if at := c.Listen.Addr(); at.IsLoopback() && (!c.ListenTCP.IsValid() || c.ListenTCP.Addr() == at) {
		every := netip.IPv4Unspecified()
		if at.Is6() {
			every = netip.IPv6Unspecified()
		}
		c.Near, c.Listen = true, netip.AddrPortFrom(every, c.Listen.Port())
		if c.ListenTCP.IsValid() {
			c.ListenTCP = netip.AddrPortFrom(every, c.ListenTCP.Port())
		}
	}
}

// publicAddrs resolves network.public; empty for auto.
func (n *node) publicAddrs(ctx context.Context) ([]netip.Addr, error) {
	if n.cfg.Network.Public == config.Auto {
		return nil, nil
	}
	if a, err := netip.ParseAddr(n.cfg.Network.Public); err == nil {
		return []netip.Addr{a}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", n.cfg.Network.Public)
	if err != nil {
		return nil, fmt.Errorf("network.public: %w", err)
	}
	return addrs, nil
}
