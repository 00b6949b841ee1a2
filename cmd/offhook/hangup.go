package main

import (
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// surviveHangups keeps a SIGHUP from ending all calls: a terminal that closes sends
// one, and so do tools that rotate logs or ask a service to reload. What it returns
// ends that.
func surviveHangups(log *slog.Logger) (stop func()) {
	hangups, over := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		defer close(over)
		for range hangups {
			log.Warn("SIGHUP changes nothing: offhook apply changes resources at once, a restart reads the file again, SIGTERM ends")
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
		<-over
	}
}
