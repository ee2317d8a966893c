package merge_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"lastport/reports/merge"
	"lastport/reports/result"
)

// full is a shard of a fill over all ports, of as many values as a real one has:
// latencies that differ, a timeline of 600 rows, a map of all ports and their states at 16
// moments.
func full(index, count int) *result.Result {
	random := rand.New(rand.NewPCG(1, uint64(index)))
	values := func(n int) *result.Histogram {
		h := result.NewHistogram()
		for range n {
			h.Record(int64(10_000 * (1 + random.ExpFloat64())))
		}
		return h
	}
	r := shard(index, count)
	const ports, perBand = 64_512, 6_451
	r.Latency = result.Latency{Connect: values(ports).Summary(), Response: values(ports).Summary(), Close: values(ports).Summary(), Failure: values(100).Summary()}
	r.Occupancy = nil
	for i := range 10 {
		r.Occupancy = append(r.Occupancy, values(perBand).Band(float64(i)/10, float64(i+1)/10))
	}
	r.Timeline = nil
	for i := range 600 {
		r.Timeline = append(r.Timeline, result.Row{
			TNS: int64(i+1) * 1e8, Opened: 107, Open: int64(107 * i), P99NS: ptr(int64(50_000)),
			States: &result.States{Established: ptr(int64(107 * i))}, Kernel: result.Counters{"ActiveOpens": 107},
		})
	}
	uses, states := new(result.PortMap), new(result.StateMap)
	series := result.NewPortSeries(int64(time.Second))
	for port := 1024; port < 1024+ports; port++ {
		uses.Add(uint16(port))
		states.Put(uint16(port), result.PortEstablished)
		if port%4096 == 0 {
			series.Add(result.PortMoment{TNS: int64(port/4096) * int64(time.Second), Client: states.Ports(), Server: states.Ports()})
		}
	}
	r.Ports, r.PortStates = uses.Ports(nil), series.States()
	return r
}

// BenchmarkHundred reads and merges the results of 100 shards, each as large as
// that of a fill over all ports.
func BenchmarkHundred(b *testing.B) {
	const count = 100
	var files [][]byte
	size := 0
	for i := range count {
		files = append(files, encoded(b, full(i, count)))
		size += len(files[i])
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		var parts []merge.Part
		for i, text := range files {
			d, err := result.Decode(bytes.NewReader(text))
			if err != nil {
				b.Fatal(err)
			}
			parts = append(parts, merge.Part{From: fmt.Sprint(i), Run: d.(*result.Result)})
		}
		if _, err := merge.Shards(parts, false); err != nil {
			b.Fatal(err)
		}
	}
}
