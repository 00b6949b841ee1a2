package main

import (
	"cmp"
	"context"
	crand "crypto/rand"
	"fmt"
	"time"

	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core/exchange"
	"github.com/offhook/offhook/internal/engine"
	"github.com/offhook/offhook/internal/loopedge"
	"github.com/offhook/offhook/internal/rtcedge"
	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/internal/sipedge"
)

// openEdges makes the exchange, its loop and both edges.
func (n *node) openEdges(ctx context.Context) error {
	directory, err := n.store.Directory(ctx)
	if err != nil {
		return err
	}
	n.directory.Store(directory)
	n.warmSounds(directory.Resources().SoundFiles())
	trunks, err := n.trunks(ctx, directory)
	if err != nil {
		return err
	}
	public, err := n.publicAddrs(ctx)
	if err != nil {
		return err
	}
	n.ports = newPorts(&n.audio, n.cfg.Media.RTPPorts, n.log)
	edge := sipedge.Config{
		Poster: sipPoster{n}, Secrets: n.auth, Media: n.media, Ports: n.ports,
		Web: webPaths{n.rtc}, Log: n.log,
		Domain: n.cfg.SIP.Domain, Realm: n.cfg.SIP.Realm, Local: n.cfg.Network.Local,
		Cost: n.cfg.Media.Prefer == config.PreferCost, MessagesPerSecond: n.cfg.SIP.MessagesPerSecond, SRTP: n.cfg.SIP.SRTP, Overloaded: n.pressure.Overloaded,
		User: n.userSettings, MaxContacts: n.cfg.SIP.MaxContacts, KeepAlive: n.cfg.SIP.KeepAlive, SHA256: n.cfg.SIP.SHA256,
	}
	if len(public) > 0 {
		edge.PublicMedia = public[0]
	}
	n.sip = sipedge.New(edge)
	n.sip.SetTrunks(trunks)
	nameServer, err := n.cfg.SIP.NameServer()
	if err != nil {
		return fmt.Errorf("sip.resolver: %w", err)
	}
	n.stack = sip.NewStack(n.sip.StackConfig(sip.Config{
		Resolver: sip.NewDNS(nameServer), Log: n.log, Agent: "offhook/" + version, SessionExpires: cmp.Or(n.cfg.SIP.SessionExpires, -1),
		MaxConns: maxConns(2),
	}))
	n.onClose(n.closeSIP)

	n.rtcE = rtcedge.New(rtcedge.Config{
		Version: version, Limits: rtcedge.DefaultLimits(), Log: n.log, Auth: n.auth, Post: poster(n.postUnlessOverloaded),
		Paths: rtcPaths{n.rtc}, Media: n.media, Profile: n.profile, ICE: n.iceServers,
	})
	n.onClose(n.rtcE.Close)

	n.openRecorder()
	if err := n.openVoice(ctx); err != nil {
		return err
	}
	n.onClose(n.recorder.Close) // it tells the Voice API of its last files
	if err := n.openSockets(); err != nil {
		return err
	}
	n.loops = loopedge.New(loopedge.Config{Post: poster(n.post), Media: n.media, Log: n.log})
	n.onClose(n.loops.Close)
	listener := n.newListener()
	n.onClose(listener.Close)
	var seed [32]byte
	crand.Read(seed[:]) // never fails, by contract
	n.loop = engine.New(engine.Config{
		Exchange: exchange.New(exchange.Config{Seed: seed, Directory: directory}),
		SIP:      n.sip, Browser: n.rtcE, Socket: n.sockets, Loop: n.loops, Media: hearing{n.media, n.recorder, listener}, Apps: appDriver{n.voice, n.rtcE}, Events: n.bus, Turned: n.sip.Turned, Log: n.log, DrainLimit: n.cfg.Limits.Drain,
	})
	n.sip.Start(n.stack) // from now on it tells the loop of trunks
	return n.recorder.Start(ctx)
}

// farewellTime bounds the wait for the answers to our last BYEs.
const farewellTime = 2 * time.Second

// closeSIP ends the SIP edge and stack. A stack that is closed at once would
// leave the phones in their calls: a BYE on a stream is not sent yet, and one
// over UDP may have to be repeated.
func (n *node) closeSIP() {
	n.sip.Close()
	ctx, cancel := context.WithTimeout(context.Background(), farewellTime)
	defer cancel()
	n.stack.Settle(ctx)
	n.stack.Close()
}
