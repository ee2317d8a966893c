package strategy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"lastport/loadgen/ports"
)

// wide is the space of the profile all.
func wide() Space { return Space{Ranges: ports.Of(ports.Range{Low: 1024, High: ports.Max})} }

// BenchmarkPick is what a choice costs by how full the range is, of the 64,512
// ports of the profile all. Between batches of 32 choices as many ports, at
// random, are freed: ns/op is a batch of both. ns/pick is the median of batches
// of choices, because one that the machine interrupts says nothing of a choice.
func BenchmarkPick(b *testing.B) {
	for _, name := range explicitNames() {
		for _, occupancy := range []float64{0, 50, 90, 99, 99.9} {
			b.Run(fmt.Sprintf("%s/%v%%", name, occupancy), func(b *testing.B) { benchmarkPick(b, name, occupancy) })
		}
	}
}

func benchmarkPick(b *testing.B, name string, occupancy float64) {
	const batch = 32
	run, err := New(name, wide())
	if err != nil {
		b.Fatal(err)
	}
	w := run.Worker(0)
	var a Attempt
	var taken []uint16
	for len(taken) < int(occupancy/100*float64(wide().Ranges.Size())) {
		c, _ := w.Choose(a)
		taken = append(taken, c.Port)
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(taken), func(i, j int) { taken[i], taken[j] = taken[j], taken[i] })
	var picked [batch]uint16
	var batches []time.Duration
	for at := 0; b.Loop(); {
		begun := time.Now()
		for i := range picked {
			c, ok := w.Choose(a)
			if !ok {
				b.Fatal("no port")
			}
			picked[i] = c.Port
		}
		batches = append(batches, time.Since(begun))
		for i := range picked { // free an old one for each new one
			if len(taken) > 0 {
				at = (at + 1) % len(taken)
				picked[i], taken[at] = taken[at], picked[i]
			}
			w.Freed(a.Pool, picked[i])
		}
	}
	slices.Sort(batches)
	b.ReportMetric(float64(batches[len(batches)/2])/batch, "ns/pick")
}

// BenchmarkNone is what it costs to find out that no port is left.
func BenchmarkNone(b *testing.B) {
	run, err := New("random", wide())
	if err != nil {
		b.Fatal(err)
	}
	w := run.Worker(0)
	for range wide().Ranges.Size() {
		w.Choose(Attempt{})
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := w.Choose(Attempt{}); ok {
			b.Fatal("a port")
		}
	}
}
