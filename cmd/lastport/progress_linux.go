package main

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"lastport/cmd/lastport/live"
)

// How often a run is drawn on a terminal, and how often it is said elsewhere how
// far it is.
const (
	drawEvery  = 200 * time.Millisecond
	plainEvery = 2 * time.Second
)

// progress shows how far runs are: some live lines on a terminal, a plain line
// every few seconds elsewhere, or nothing. It has a goroutine of its own: a
// terminal that is slow or stopped must not hold up a run.
type progress struct {
	ui   *ui
	how  showing
	stop chan struct{}
	done sync.WaitGroup

	mu   sync.Mutex // guards the runs, and what is known of each
	runs []*runView
}

// showing is how progress is shown.
type showing uint8

const (
	showNone showing = iota
	showPlain
	showLive
)

// showingOf is what a word of --progress comes to where u writes.
func showingOf(mode string, u *ui) showing {
	switch {
	case mode == "none":
		return showNone
	case mode == "auto" && canDraw(os.Getenv("TERM")) && terminal(u.w) > 0:
		return showLive
	}
	return showPlain
}

// canDraw says whether a terminal of this type moves its cursor about when told.
func canDraw(term string) bool { return term != "" && term != "dumb" }

// newProgress begins to show runs, of which there are none yet. end ends it.
func newProgress(u *ui, mode string) *progress {
	p := &progress{ui: u, how: showingOf(mode, u), stop: make(chan struct{})}
	switch p.how {
	case showLive:
		p.done.Go(p.draw)
	case showPlain:
		p.done.Go(p.say)
	}
	return p
}

// progressSideBySide is newProgress for runs side by side: elsewhere than on a terminal
// their lines would only mix.
func progressSideBySide(u *ui, mode string) *progress {
	if showingOf(mode, u) != showLive {
		mode = "none"
	}
	return newProgress(u, mode)
}

// run adds a run; its name is "" if it is not one of a set.
func (p *progress) run(name string) *runView {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := &runView{progress: p, known: live.Run{Name: name, Phase: "start"}}
	p.runs = append(p.runs, r)
	return r
}

// end takes away what is shown.
func (p *progress) end() {
	close(p.stop)
	p.done.Wait()
	p.ui.clearScreen()
}

// now is what is known of the runs.
func (p *progress) now() []live.Run {
	p.mu.Lock()
	defer p.mu.Unlock()
	var runs []live.Run
	for _, r := range p.runs {
		runs = append(runs, r.known)
	}
	return runs
}

// draw keeps the runs on the terminal until the end.
func (p *progress) draw() {
	tick := time.NewTicker(drawEvery)
	defer tick.Stop()
	back, ignore := continued()
	defer ignore()
	var last drawing
	woke, paused := time.Now(), false // the latest tick, and whether it was late: the process may have been stopped
	for {
		late := func() bool { return time.Since(woke) > 2*drawEvery }
		select {
		case <-p.stop:
			return
		case <-back: // timeout(1) says so to who was never stopped
			if paused || late() {
				p.ui.leaveScreen() // whoever had the terminal meanwhile has written below
				last = drawing{}
			}
		case <-tick.C:
			paused = late()
			woke = time.Now()
			if next := p.drawing(); !paused && !next.same(last) {
				p.ui.show(next.lines, next.columns)
				last = next
			}
		}
	}
}

// drawing is what is to stand on a terminal of a width.
type drawing struct {
	columns int
	lines   []string
}

func (d drawing) same(e drawing) bool {
	return d.columns == e.columns && slices.Equal(d.lines, e.lines)
}

// drawing draws the runs as they are now, for the terminal as it is now: asking for
// its size each time is how a change of it is noticed.
func (p *progress) drawing() drawing {
	columns, rows := p.ui.size()
	d := drawing{columns: columns}
	style := live.Style{Columns: columns, Rows: rows - 1, Color: mayColor()}
	switch runs := p.now(); {
	case len(runs) == 0 || !inForeground(p.ui.w):
	case len(runs) == 1:
		d.lines = live.One(&runs[0], style)
	default:
		d.lines = live.Several(runs, style)
	}
	return d
}

// say prints plain lines until the end.
func (p *progress) say() {
	tick := time.NewTicker(plainEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
			for _, r := range p.now() {
				if r.At > 0 { // it has told something
					p.ui.line("%s", plainLine(&r))
				}
			}
		}
	}
}

// plainLine is the state of a run in one line.
func plainLine(r *live.Run) string {
	s := fmt.Sprintf("%-8s ", r.Phase)
	left := r.Left
	if r.Phase == "churn" {
		s += fmt.Sprintf("%d connected, %.0f/s, %d open", r.Opened, r.PerS, r.Open)
	} else {
		s += fmt.Sprintf("%d of %d open", r.Open, r.Expected)
		if r.Usable > 0 {
			s += fmt.Sprintf(" (%.0f %% of the ports)", 100*float64(r.Open)/float64(r.Usable))
		}
		if r.Phase == "open" && r.PerS >= 1 {
			s += fmt.Sprintf(", %.0f/s", r.PerS)
			left = time.Duration(float64(r.Expected-r.Open) / r.PerS * float64(time.Second))
		}
	}
	s += fmt.Sprintf(", no_port %d", r.NoPort)
	if r.Failed > 0 {
		s += fmt.Sprintf(", failed %d", r.Failed)
	}
	if left >= time.Second {
		s += fmt.Sprintf(", %v left", left.Round(time.Second))
	}
	return s
}
