package step_test

import (
	"fmt"

	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// untilNoPort opens one connection after another until no port is left.
type untilNoPort struct {
	opened int
	over   bool
}

func (w *untilNoPort) Next(_ int64, steps []step.Step) (int, int64) {
	if w.over {
		return 0, step.Done
	}
	steps[0] = step.Step{Op: step.Open}
	return 1, 0
}

func (w *untilNoPort) Take(done []step.Completion) {
	for _, c := range done {
		if c.Outcome == outcome.OK {
			w.opened++
		} else {
			w.over = true
		}
	}
}

// An engine asks a Work for steps, does them, and hands the completions back.
// This one has three ports.
func Example() {
	var work step.Work = &untilNoPort{}
	steps := make([]step.Step, 1)
	for free := 3; ; free-- {
		n, wake := work.Next(0, steps)
		if n == 0 && wake == step.Done {
			break
		}
		done := step.Completion{Op: steps[0].Op, Outcome: outcome.OK}
		if free == 0 {
			done.Outcome = outcome.NoPort
		}
		work.Take([]step.Completion{done})
	}
	fmt.Println("opened", work.(*untilNoPort).opened)
	// Output: opened 3
}

func ExampleParseCloseMode() {
	mode, err := step.ParseCloseMode("server-rst")
	fmt.Println(mode, mode.ServerFirst(), mode.RST(), err)
	// Output: server-rst true true <nil>
}
