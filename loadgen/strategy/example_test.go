package strategy_test

import (
	"fmt"
	"net/netip"

	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
)

func Example() {
	space := strategy.Space{
		Ranges:  ports.Of(ports.Range{Low: 40000, High: 40001}),
		Sources: []netip.Addr{netip.MustParseAddr("198.18.0.2")},
		Targets: []netip.AddrPort{netip.MustParseAddrPort("198.18.0.1:1000"), netip.MustParseAddrPort("198.18.0.1:1001")},
	}
	s, err := strategy.New("sequential", space)
	if err != nil {
		fmt.Println(err)
		return
	}
	pools, worker := space.Pools(s.Traits()), s.Worker(0)
	fmt.Println(pools.Count(), "pools")
	for range 3 {
		for target := range uint16(2) {
			choice, ok := worker.Choose(strategy.Attempt{Pool: pools.Of(0, target), Target: target})
			fmt.Printf("target %d: port %d %v\n", target, choice.Port, ok)
		}
	}
	// Output:
	// 2 pools
	// target 0: port 40000 true
	// target 1: port 40001 true
	// target 0: port 40001 true
	// target 1: port 40000 true
	// target 0: port 0 false
	// target 1: port 0 false
}

// What each strategy asks the kernel for.
func ExampleNames() {
	set, err := ports.Parse("40000")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range strategy.Names() {
		s, err := strategy.New(name, strategy.Space{Ranges: set})
		if err != nil {
			fmt.Println(err)
			return
		}
		choice, _ := s.Worker(0).Choose(strategy.Attempt{})
		fmt.Printf("%-16s bind %d, window %q, port %d\n", name, choice.Bind, choice.Window, choice.Port)
	}
	// Output:
	// connect          bind 0, window "", port 0
	// bind             bind 1, window "", port 0
	// late-bind        bind 2, window "", port 0
	// socket-range     bind 0, window "40000", port 0
	// window           bind 0, window "40000", port 0
	// sequential       bind 1, window "", port 40000
	// random           bind 1, window "", port 40000
	// simple-hash      bind 1, window "", port 40000
	// double-hash      bind 1, window "", port 40000
	// random-increment bind 1, window "", port 40000
}
