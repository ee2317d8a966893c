package main

import (
	"fmt"
	"io"
	"time"
)

// progressView is what a progress line shows of a run.
type progressView struct {
	phase                  string
	at                     time.Duration // since the run began
	open, expected, usable int64
	opened                 int64 // so far, whether they are still open or not
	noPort, failed         int64
	left                   time.Duration // 0: not known
}

// plainEvery is how often a plain progress line is printed.
const plainEvery = 2 * time.Second

// progress shows how far a run is: one live line on a terminal, a plain line
// every few seconds elsewhere, or nothing. It has a goroutine of its own: a
// terminal that is slow or stopped must not hold up the run.
type progress struct {
	views chan progressView // the newest that is not shown yet
	ended chan struct{}
	ui    *ui
	live  bool
	none  bool
	width int
	next  time.Duration // when the next plain line is due
	last  progressView
	rate  float64 // connections per second, smoothed
}

func newProgress(u *ui, mode string) *progress {
	p := &progress{
		ui: u, none: mode == "none", next: plainEvery,
		views: make(chan progressView, 1), ended: make(chan struct{}),
	}
	if mode == "auto" {
		p.width = terminal(u.w)
		p.live = p.width > 0
	}
	go func() {
		defer close(p.ended)
		for v := range p.views {
			p.draw(v)
		}
	}()
	return p
}

// view takes the state of the run, to be shown when there is time for it.
func (p *progress) view(v progressView) {
	if p.none {
		return
	}
	select {
	case p.views <- v:
	default: // the last one is not even shown yet
	}
}

func (p *progress) draw(v progressView) {
	p.speed(v)
	switch {
	case p.live:
		p.ui.redraw(v.line(p.rate), p.width)
	case v.at >= p.next:
		p.next = v.at + plainEvery
		p.ui.line("%s", v.line(p.rate))
	}
}

// speed follows the rate of opening, smoothed over about a second.
func (p *progress) speed(v progressView) {
	dt := (v.at - p.last.at).Seconds()
	if dt > 0 {
		now := float64(v.opened-p.last.opened) / dt
		weight := min(1, dt)
		p.rate += weight * (now - p.rate)
	}
	p.last = v
}

// end shows what is left to show and clears the line.
func (p *progress) end() {
	close(p.views)
	<-p.ended
	p.ui.mu.Lock()
	defer p.ui.mu.Unlock()
	p.ui.clear()
}

// line is the state of a run in one line.
func (v progressView) line(rate float64) string {
	if v.phase == "churn" {
		return v.churn(rate)
	}
	s := fmt.Sprintf("%-8s %d of %d open", v.phase, v.open, v.expected)
	if v.usable > 0 {
		s += fmt.Sprintf(" (%.0f %% of the ports)", 100*float64(v.open)/float64(v.usable))
	}
	left := v.left
	if v.phase == "open" && rate >= 1 {
		s += fmt.Sprintf(", %.0f/s", rate)
		left = time.Duration(float64(v.expected-v.open) / rate * float64(time.Second))
	}
	return s + v.tail(left)
}

// churn is the line of a run whose connections come and go.
func (v progressView) churn(rate float64) string {
	return fmt.Sprintf("%-8s %d connected, %.0f/s, %d open", v.phase, v.opened, rate, v.open) + v.tail(v.left)
}

// tail is what every line ends with.
func (v progressView) tail(left time.Duration) string {
	s := fmt.Sprintf(", no_port %d", v.noPort)
	if v.failed > 0 {
		s += fmt.Sprintf(", failed %d", v.failed)
	}
	if left >= time.Second {
		s += fmt.Sprintf(", %v left", left.Round(time.Second))
	}
	return s
}

// redraw puts the line where the last one was.
func (u *ui) redraw(line string, width int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if r := []rune(line); len(r) >= width {
		line = string(r[:width-1])
	}
	_, _ = io.WriteString(u.w, "\r\x1b[K"+line) // a terminal that is gone shows nothing
	u.live = true
}
