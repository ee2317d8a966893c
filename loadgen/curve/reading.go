package curve

import (
	"math"
	"time"
)

// Query is what is to be known: the cost of a connect by a strategy while so many
// of so many ports are taken.
type Query struct {
	Strategy, Proto string
	Ports           int
	Occupancy       float64 // share of the ports taken; more than 1: there are not enough
	// Flat says that the program chooses the port by itself: no search of the kernel
	// grows with the number of ports.
	Flat bool
}

// Reading is the answer. A time that is 0 was not measured.
type Reading struct {
	P50, P99 time.Duration // of a connect at that occupancy
	Empty    time.Duration // p50 of one while no port is taken
	NoPort   time.Duration // p50 of an attempt that finds no port
	Low, Top int           // the ports of the two curves that it is from; both alike: of one
}

// read looks one curve up.
func (c *Curve) read(q Query) Reading {
	r := Reading{Low: c.Ports, Top: c.Ports}
	if c.Full != nil {
		r.NoPort = c.Full.P50
	}
	if s, ok := c.at(0); ok {
		r.Empty = s.P50
	}
	if s, ok := c.at(q.Occupancy); ok {
		r.P50, r.P99 = s.P50, s.P99
	}
	return r
}

// between reads two curves of a strategy over different numbers of ports, and
// goes from one to the other by a power of that number: it is linear where the
// time of a search is, flat where it is flat, and never outside of the two.
func between(low, top *Curve, q Query) Reading {
	a, b := low.read(q), top.read(q)
	way := math.Log(float64(q.Ports)/float64(low.Ports)) / math.Log(float64(top.Ports)/float64(low.Ports))
	mix := func(a, b time.Duration) time.Duration {
		if a <= 0 || b <= 0 {
			return 0
		}
		return time.Duration(float64(a) * math.Pow(float64(b)/float64(a), way))
	}
	return Reading{
		P50: mix(a.P50, b.P50), P99: mix(a.P99, b.P99), Empty: mix(a.Empty, b.Empty), NoPort: mix(a.NoPort, b.NoPort),
		Low: low.Ports, Top: top.Ports,
	}
}
