package main

import (
	"context"
	"fmt"
	"net/netip"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/ports"
	"lastport/reports/figures"
	"lastport/reports/result"
)

// mostWait bounds --wait-clean: twice a TIME_WAIT. On a host that goes on closing
// connections toward the targets it never ends by itself.
const mostWait = 2 * time.Minute

// beforeHost looks at the real host before a run on it, waits if it was told to, takes
// for the run what is free then, and says what it found and what the run will take.
func (a *app) beforeHost(r *namedRun, host place.Host, f *runFlags) error {
	if !onHost(&r.cfg) {
		return nil
	}
	waited, err := a.waitUntilClean(&r.asked, f)
	if err != nil {
		return err
	}
	r.cfg = r.asked
	c := &r.cfg
	if err := f.reserveFrom(c, host, f.census.Taken()); err != nil {
		return err
	}
	system, err := hostRange(host)
	if err != nil {
		return err
	}
	for _, h := range f.census.Holders(c.Ports()) {
		c.OnHost.Holders = append(c.OnHost.Holders, result.PortHolder{Who: h.Who, Ports: h.Ports.String(), Count: int64(h.Ports.Size())})
	}
	w := f.census.Waiting(c.Ports(), c.Targets)
	c.OnHost.TimeWaitBefore, c.OnHost.TimeWaitForNS, c.OnHost.WaitedNS = w.Sockets, int64(w.Left), int64(waited)
	a.ui.foundOnHost(c, system, w)
	if queue, err := strconv.Atoi(host.Settings[keyBacklog]); err == nil && !c.Far && c.Ends == loadgen.EndsApart && queue < min(2*c.Ports().Size(), maxQueue) {
		a.ui.shortQueue(queue)
	}
	return nil
}

// waitUntilClean lists the host's sockets and, with --wait-clean, waits until nothing is
// in TIME_WAIT toward the targets, or the time for that is over. The last list is kept.
func (a *app) waitUntilClean(c *loadgen.Config, f *runFlags) (waited time.Duration, err error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	began := time.Now()
	for said := false; ; said = true {
		if f.census, err = place.TakeCensus(c.UDP); err != nil || !f.waitClean {
			return 0, err
		}
		w := f.census.Waiting(c.Ports(), c.Targets)
		waited = time.Since(began)
		switch {
		case w.Sockets == 0:
			return waited, nil
		case waited >= mostWait:
			a.ui.stillWaiting(w)
			return waited, nil
		case !said:
			a.ui.waits(c, w)
		}
		const look = time.Second // a timer of 60 s is late by two or so, and others may end what is in TIME_WAIT
		if !pause(ctx, min(look, mostWait-waited)) {
			return 0, stoppedWaiting{}
		}
	}
}

// stoppedWaiting is a signal before anything was begun.
type stoppedWaiting struct{}

func (stoppedWaiting) Error() string { return "interrupted while it waited: nothing was begun" }

// Interrupted says that the exit status is that of a signal.
func (stoppedWaiting) Interrupted() bool { return true }

// foundOnHost says who has ports of the run's range, what is in TIME_WAIT, what the
// run takes and what it leaves.
func (u *ui) foundOnHost(c *loadgen.Config, system ports.Ranges, w place.Waiting) {
	held := "none of them taken"
	if len(c.OnHost.Holders) > 0 {
		held = "taken by " + holderWords(c.OnHost.Holders)
	}
	u.line("on the host: %s ports in %s, %s", figures.Grouped(int64(c.Ports().Size())), c.Ports(), held)
	if w.Sockets > 0 {
		u.line("%s", waitWords(c, w))
	}
	u.line("%s ports of the host's range %s are free, and %s of them stay free for others (--keep-free)",
		figures.Grouped(c.OnHost.FreeBefore), system, figures.Grouped(c.OnHost.KeepFree))
	if c.Scenario == "fill" {
		most := int64(c.Ports().Size())
		if c.Connections > 0 {
			most = min(most, c.Connections)
		}
		u.line("takes up to %s of them toward %s, until the release", figures.Grouped(most), targetNames(c.Targets))
	}
}

// shortQueue says what a setting means that a private place would have raised.
func (u *ui) shortQueue(queue int) {
	u.line("%s stays %s: when more connections wait to be accepted, SYNs are lost and come again after a second (listen_overflow)", keyBacklog, figures.Grouped(int64(queue)))
}

// waitWords says what is in TIME_WAIT, and for how long.
func waitWords(c *loadgen.Config, w place.Waiting) string {
	return fmt.Sprintf("in TIME_WAIT toward %s: %s, the last for %s more", targetNames(c.Targets), figures.Grouped(w.Sockets), w.Left.Round(time.Second))
}

// waits says that --wait-clean begins to wait.
func (u *ui) waits(c *loadgen.Config, w place.Waiting) {
	u.line("%s: waits until none is, %v at most (--wait-clean)", waitWords(c, w), mostWait)
}

// stillWaiting says that --wait-clean was in vain.
func (u *ui) stillWaiting(w place.Waiting) {
	u.line("%s are in TIME_WAIT still, after %v: others go on closing connections to the same targets", figures.Grouped(w.Sockets), mostWait)
}

// holderWords names those who have most of the ports.
func holderWords(holders []result.PortHolder) string {
	const named = 5
	var words []string
	for i, h := range holders {
		if i == named {
			words = append(words, fmt.Sprintf("%d others", len(holders)-named))
			break
		}
		words = append(words, fmt.Sprintf("%s (%s)", h.Who, figures.Grouped(h.Count)))
	}
	return strings.Join(words, ", ")
}

// targetNames is a list of targets in few words.
func targetNames(targets []netip.AddrPort) string {
	if len(targets) == 1 {
		return targets[0].String()
	}
	return fmt.Sprintf("%s and %d more", targets[0], len(targets)-1)
}
