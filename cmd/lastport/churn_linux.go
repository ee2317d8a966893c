package main

import (
	"fmt"
	"math"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lastport/loadgen"
	"lastport/loadgen/pace"
	"lastport/loadgen/step"
	"lastport/loadgen/suite"
)

// churnFlags are the flags of churn besides those of every run.
type churnFlags struct {
	runFlags
	rate        string
	concurrency int
	attempts    int64
	requests    int
	record      string
	timeoutSet  bool
	durationSet bool
}

func (a *app) churnVerb() *cobra.Command {
	var f churnFlags
	c := &cobra.Command{
		Use:   "churn",
		Short: "open and close, at a rate or as fast as possible",
		Long: "churn opens connections and closes them. With --rate N attempts are due at\n" +
			"equal distances whatever became of earlier ones (open loop), and response time\n" +
			"counts from the moment an attempt was due. With --rate max as many connections\n" +
			"as --concurrency says follow one another without a pause (closed loop).\n\n" +
			"When the rate is above what the ports sustain they run out at the predicted\n" +
			"attempt. Attempts go on, their failures are counted, and successes come back\n" +
			"when ports do.\n\n" +
			"--rate auto finds the highest rate that holds: it predicts it, and tries rates\n" +
			"on both sides, each for long enough to use every port twice.",
		Example: "  lastport churn --rate 400 --duration 2m\n" +
			"  lastport churn --range 40000-40499 --rate auto\n" +
			"  lastport churn --range 40000-40999 --rate 100 --duration 20s\n" +
			"  lastport churn --rate max --close server-fin\n" +
			"  lastport churn --rate 100 --hold 2s --requests 10\n" +
			"  lastport churn --rate 470 --duration 90s --expect no_port==0",
		RunE: func(c *cobra.Command, _ []string) error {
			f.timeoutSet, f.durationSet, f.workersGiven = c.Flags().Changed("timeout"), c.Flags().Changed("duration"), c.Flags().Changed("workers")
			if f.rate == rateAuto {
				return a.auto(&f)
			}
			if !f.workersGiven {
				f.workers = f.goodWorkers(runtime.NumCPU())
			}
			return a.single("churn", step.ClientFIN, &f.runFlags, func(c *loadgen.Config) error {
				if err := f.churnConfig(c); err != nil {
					return err
				}
				return f.recording(c)
			})
		},
	}
	f.addChurn(c.Flags())
	return c
}

// addChurn adds the flags.
func (f *churnFlags) addChurn(fs *pflag.FlagSet) {
	f.add(fs)
	f.addGateway(fs)
	f.addRepeat(fs)
	f.addShard(fs)
	fs.StringVar(&f.rate, "rate", "max", "a `NUMBER` of attempts per second, or max; auto finds the highest that holds")
	fs.IntVar(&f.concurrency, "concurrency", 0, "a `NUMBER` of connections at a time, with --rate max (default: one for each worker; by uring 16, or 64 with ends apart)")
	fs.Int64Var(&f.attempts, "attempts", 0, "end after this `NUMBER` (default: when --duration is over)")
	fs.IntVar(&f.requests, "requests", 0, "a `NUMBER` of small requests over each connection before its close")
	fs.StringVar(&f.record, "record", "on", "off counts outcomes and records nothing, a `WORD` of on, off")
	_ = fs.MarkHidden("record") // for measuring what recording costs; the flag exists, so this cannot fail
	setDefault(fs, "duration", (10 * time.Second).String())
	fs.Lookup("duration").Usage = fmt.Sprintf("how `LONG` attempts are made; with --rate auto, how long all of it may take (default there: %v)", suite.SearchTime)
	workers := fs.Lookup("workers")
	workers.DefValue = "0" // which says that the default is in the words
	workers.Usage += fmt.Sprintf(" (default: with --rate max one for each processor, at a rate one for each %d a second)", easyRate)
}

// easyRate is the attempts a second up to which one worker keeps its schedule with
// ease: a third of what it makes as fast as it can.
const easyRate = 10_000

// goodWorkers is the default of --workers. Measured with 1, 2, 4 … of them: as
// fast as it goes one for each processor makes the most, and more only wait for
// one another.
func (f *churnFlags) goodWorkers(processors int) int {
	most := math.Inf(1)
	if f.rate != rateMax {
		rate, err := strconv.ParseFloat(f.rate, 64)
		if err != nil || math.IsNaN(rate) {
			return 1 // pace refuses it
		}
		most = math.Ceil(rate / easyRate)
	}
	for _, bound := range []int64{int64(f.concurrency), f.attempts} {
		if bound > 0 {
			most = min(most, float64(bound))
		}
	}
	return int(max(1, min(most, float64(processors))))
}

// churnConfig adds what the flags of churn say.
func (f *churnFlags) churnConfig(c *loadgen.Config) error {
	switch {
	case f.duration == 0:
		return usagef("--duration 10s", "--duration 0s: a churn needs a time to end")
	case f.duration > maxChurn:
		return usagef("--duration 24h", "--duration %v: at most %v", f.duration, maxChurn)
	case f.timeoutSet && f.timeout > f.duration:
		return usagef(fmt.Sprintf("--timeout %v", f.duration), "--timeout %v is longer than --duration %v: no attempt could take that long", f.timeout, f.duration)
	case f.hold > f.duration:
		return usagef(fmt.Sprintf("--hold %v", f.duration/2), "--hold %v is longer than --duration %v", f.hold, f.duration)
	case f.attempts > 0 && f.attempts < int64(f.workers):
		return usagef(fmt.Sprintf("--workers %d", f.attempts), "--workers %d: more than --attempts %d", f.workers, f.attempts)
	case f.concurrency > 0 && f.concurrency < f.workers:
		return usagef(fmt.Sprintf("--workers %d", f.concurrency), "--workers %d: more than --concurrency %d", f.workers, f.concurrency)
	case f.attempts < 0:
		return usagef("--attempts 1000", "--attempts %d: want 1 or more, or 0 for no bound", f.attempts)
	case f.requests < 0 || f.requests > maxRequests:
		return usagef("--requests 10", "--requests %d: want 0 to %d", f.requests, maxRequests)
	case f.concurrency < 0 || f.concurrency > maxConcurrency:
		return usagef("--concurrency 64", "--concurrency %d: want 1 to %d", f.concurrency, maxConcurrency)
	}
	c.Timeout = min(c.Timeout, f.duration)
	c.Attempts, c.Requests = f.attempts, f.requests
	return f.pace(c)
}

// recording reads --record.
func (f *churnFlags) recording(c *loadgen.Config) error {
	switch f.record {
	case "on":
	case "off":
		c.Unrecorded = true
	default:
		return usagef("--record on", "--record %q: not one of on, off", f.record)
	}
	return nil
}

// Bounds of a churn: times fit into a tag of 48 bits, requests into one of 16.
const (
	maxChurn       = 24 * time.Hour
	maxRequests    = 65535
	maxConcurrency = 1 << 20
)

// rateMax as a rate is as fast as it goes.
const rateMax = "max"

// pace reads --rate and --concurrency.
func (f *churnFlags) pace(c *loadgen.Config) error {
	if f.rate == rateMax {
		c.Concurrency = f.concurrency // 0: decided where the engine is
		return nil
	}
	rate, err := strconv.ParseFloat(f.rate, 64)
	if err != nil {
		return usagef("--rate 100", "--rate %q: want attempts per second, such as 100, or max, or auto", f.rate)
	}
	if _, err := pace.NewConstant(rate); err != nil {
		return usagef("--rate 100", "--rate %s: want more than 0 and at most 1e9 per second, or max", f.rate)
	}
	if f.concurrency > 0 {
		return usagef("--rate max --concurrency "+strconv.Itoa(f.concurrency), "--concurrency is for --rate max: at a rate, attempts are made when they are due")
	}
	c.Rate = rate
	return nil
}
