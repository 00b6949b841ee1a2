package main

import (
	"time"
)

const (
	// overloadRate is in calls a second, overloadTime how long they come.
	overloadRate = 240.0
	overloadTime = 12 * time.Second
)

// afterwards measures K3 and K4: what a burst of calls leaves behind.
func (b *bench) afterwards() error {
	site, err := b.openSite(newHouse(20, 20))
	if err != nil {
		return err
	}
	defer site.close()
	calm := time.Duration(b.pick(int(time.Minute), int(time.Second)))
	time.Sleep(min(b.window, 3*time.Second))
	idle, err := site.pss()
	if err != nil {
		return err
	}
	short := *b
	short.window = time.Duration(b.pick(int(overloadTime), int(time.Second)))
	if _, err := short.callRun(site, "K3", overloadRate); err != nil {
		return err
	}
	time.Sleep(calm)
	left, err := site.pss()
	if err != nil {
		return err
	}
	used, err := during(site.process, func() { time.Sleep(calm) })
	if err != nil {
		return err
	}
	percent := 100 * used.Seconds() / calm.Seconds()
	b.report.add("K3", left/idle, 0)
	b.report.add("K4", percent, 0)
	b.logf("K3: %.1f MB, %.1f MB a minute after the calls; K4: %.2f %%", idle/1024, left/1024, percent)
	return nil
}
