package main

import (
	"errors"
	"log/slog"
	"strings"

	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/sounds"
)

// newSounds makes the library of files and URLs; own is nil or allows hosts that are
// not public.
func newSounds(c config.Media, own func(hostPort string) bool, log *slog.Logger) (*sounds.Library, error) {
	return sounds.New(sounds.Config{Folder: c.Sounds, Hosts: c.SoundHosts, Own: own, Instead: c.SoundFiles, Log: log})
}

// warmSounds gets sounds, one after the other, so that the first caller need not
// wait, and says which cannot be played.
func (n *node) warmSounds(names []string) {
	if len(names) == 0 {
		return
	}
	n.sounds.Open(names[0], func(_ *file.PCM, err error) {
		switch {
		case errors.Is(err, sounds.ErrClosed):
			return
		case err != nil:
			n.log.Warn("a sound of the resources cannot be played now", "error", err)
		}
		n.warmSounds(names[1:])
	})
}

// sounds tries every file and URL that the configuration names. A file must be
// there; a server may come later.
func (r *report) sounds(cfg config.Config) {
	names := cfg.Resources.Route().SoundFiles()
	if len(names) == 0 {
		return
	}
	library, err := newSounds(cfg.Media, nil, nil)
	if !r.result("sounds", err, "in "+cfg.Media.Sounds) {
		return
	}
	defer library.Close()
	for _, name := range names {
		type outcome struct {
			pcm *file.PCM
			err error
		}
		done := make(chan outcome, 1)
		library.Open(name, func(pcm *file.PCM, err error) { done <- outcome{pcm, err} })
		o := <-done
		switch {
		case o.err == nil:
			r.line("ok", "sound", name+" lasts "+o.pcm.Duration().String())
		case strings.Contains(name, "://"):
			r.line("warn", "sound", o.err.Error())
		default:
			r.result("sound", o.err, "")
		}
	}
}
