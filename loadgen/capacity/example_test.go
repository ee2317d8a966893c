package capacity_test

import (
	"fmt"
	"net/netip"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
)

func Example() {
	set, err := ports.Parse("40000-41000")
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := strategy.New("connect", strategy.Space{Ranges: set})
	if err != nil {
		fmt.Println(err)
		return
	}
	a := capacity.Predict(capacity.Question{
		Range:    set,
		Strategy: s.Traits(),
		Settings: capacity.Settings{TWReuse: 2, Timestamps: true, HZ: 250},
	})
	fmt.Println(a.Connections, "connections")
	fmt.Printf("%.1f to %.1f per second\n", a.Rate.Min, a.Rate.Max)
	for _, why := range a.Why {
		fmt.Println("-", why)
	}
	// Output:
	// 1,000 to 1,001 connections
	// 16.1 to 16.7 per second
	// - the kernel searches 40000-41000 in steps of two and rounds its odd size of 1,001 down, so it may leave out one port, the lowest or the highest
	// - a closed port is in TIME_WAIT for 60 s, and at 250 Hz its timer ends up to 2.05s late
}

// Three source addresses and two targets, by strategies that choose at different
// moments.
func ExamplePredict() {
	set, err := ports.Parse("40000-40099")
	if err != nil {
		fmt.Println(err)
		return
	}
	space := strategy.Space{Ranges: set, Sources: make([]netip.Addr, 3), Targets: make([]netip.AddrPort, 2)}
	for _, name := range []string{"bind", "late-bind", "random"} {
		s, err := strategy.New(name, space)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, proto := range []string{"tcp", "udp"} {
			a := capacity.Predict(capacity.Question{
				Proto: proto, Strategy: s.Traits(), Range: set, Sources: 3, Targets: 2,
				Settings: capacity.Settings{TWReuse: 1, TWReuseDelay: time.Second, Timestamps: true, HZ: 250},
			})
			fmt.Println(name, proto, a.Connections, "connections, again after", a.Reuse)
		}
	}
	// Output:
	// bind tcp 300 connections, again after 1m0s to 1m2.048s
	// bind udp 300 connections, again after 0s
	// late-bind tcp 600 connections, again after 1s to 1.002s
	// late-bind udp 300 connections, again after 0s
	// random tcp 600 connections, again after 0s
	// random udp 300 connections, again after 0s
}

// A churn at a rate above what the ports sustain.
func ExampleAnswer_Course() {
	set, err := ports.Parse("40000-40999")
	if err != nil {
		fmt.Println(err)
		return
	}
	a := capacity.Predict(capacity.Question{Range: set, Settings: capacity.Settings{HZ: 250}})
	c := a.Course(100, 0, 2*time.Minute)
	fmt.Println(c.Successes, "successes")
	fmt.Println("no port at attempt", c.FirstNoPort.Attempt, "after", c.FirstNoPort.After)
	for _, why := range c.Why {
		fmt.Println("-", why)
	}
	// Output:
	// 2,000 successes
	// no port at attempt 1,001 after 10s
	// - attempt 1,001 finds no port: 100 attempts per second use up 1,000 ports in 10s, and none is back before 1m0s
	// - each port serves one attempt in 1m0s to 1m2.05s, and ports come back in the order and the rhythm in which they were taken
}

// How long connect takes to give up a peer that never answers.
func ExampleTimers() {
	t := capacity.Timers{HZ: 250, SYNRetries: 2, SYNLinearTimeouts: 0}
	syn := t.SYNSent()
	fmt.Println(syn.After)
	for _, why := range syn.Why {
		fmt.Println("-", why)
	}
	// Output:
	// 7s to 7.32s
	// - with tcp_syn_retries=2 and tcp_syn_linear_timeouts=0 the SYN is sent again after 1s, 3s
	// - timers end late by up to their grain (at 250 Hz), so it takes 7s to 7.32s
}

// What 2,000 connections per second need, if each is closed at once.
func ExampleNewPlan() {
	set, err := ports.Parse("linux")
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := capacity.NewPlan(capacity.Wish{
		Question: capacity.Question{Range: set, Settings: capacity.Settings{HZ: 250}},
		Rate:     2000,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.0f per second to count on\n", p.Safe)
	fmt.Println(p.Demand.Tuples, "ports at a time")
	fmt.Println(p.Demand.Needed.Targets, "targets needed")
	fmt.Println(p.Binds)
	// Output:
	// 455 per second to count on
	// 120,000 to 124,096 ports at a time
	// 5 targets needed
	// closed ports bind first: each connection takes one out of use for 1m0s to 1m2.05s after it
}
