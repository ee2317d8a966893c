package main

import (
	"time"

	"lastport/loadgen"
)

// show shows a progress frame.
func (p *progress) show(f *loadgen.Progress) {
	p.view(progressView{
		phase: f.Phase, at: time.Duration(f.TNS), open: f.Open, opened: f.Opened, expected: f.Expected, usable: f.Usable,
		noPort: f.NoPort, failed: f.Failed, left: time.Duration(f.LeftNS),
	})
}
