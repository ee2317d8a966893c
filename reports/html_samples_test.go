package reports_test

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lastport/reports"
	"lastport/reports/result"
)

// joined is results side by side, each from a folder of its own.
func joined(runs ...*result.Result) *result.Set {
	var sides []reports.Side
	for i, r := range runs {
		sides = append(sides, reports.Side{From: fmt.Sprintf("results/%d", i+1), Runs: []*result.Result{r}})
	}
	return reports.Join(sides...)
}

// fullRange is a fill of all 64,512 ports with everything that a file of it
// holds, at its largest. Its parts add up, so that a picture that is drawn from
// another part than it says is told by its numbers.
func fullRange() *result.Result {
	r := filled("connect")
	random := rand.New(rand.NewPCG(1, 2))
	draw := func(h *result.Histogram, n int, middle float64) *result.Histogram {
		for range n {
			h.Record(int64(middle * math.Exp(random.NormFloat64())))
		}
		return h
	}
	const ports, failed = 64512, 500
	all := result.NewHistogram()
	r.Occupancy = nil
	for tenth := range 10 {
		n := ports * (tenth + 1) / 10
		h := draw(result.NewHistogram(), n-int(all.Count()), []float64{13e3, 640e3}[tenth/5])
		if err := all.Merge(h); err != nil {
			panic(err) // of equal bounds: cannot be
		}
		r.Occupancy = append(r.Occupancy, h.Band(float64(tenth)/10, float64(tenth+1)/10))
	}
	failure := draw(result.NewHistogram(), failed, 9e6)
	r.Occupancy = append(r.Occupancy, failure.Band(1, 1))
	spread := func(middle float64) *result.Summary { return draw(result.NewHistogram(), ports, middle).Summary() }
	r.Config.Range, r.Config.RangeName = "1024-65535", "all"
	r.Space = result.Space{Ports: ports, PortsUsable: ports, Sources: 1, Targets: 1, Tuples: ports}
	r.Latency = result.Latency{Connect: all.Summary(), Response: spread(30e3), Bind: spread(2e3), Close: spread(9e3), Failure: failure.Summary()}
	r.Predicted.Connections, r.Measured.Connections = &result.Interval{Min: ports, Max: ports}, ptr(int64(ports))
	r.Outcomes, r.Attempts = result.Outcomes{OK: ports, NoPort: failed}, ports+failed
	r.Measured.FirstNoPort.Attempt = ports + 1
	r.Server = &result.Server{Accepted: ports, Closed: ptr(int64(ports)), DistinctPeers: ptr(int64(ports))}
	r.Witness = &result.Witness{Generator: ports, ServerOpen: ptr(int64(ports)), DistinctPeers: ptr(int64(ports)), SockDiag: ptr(int64(ports)), Agree: true}
	r.Verdict.Text = "64,512 connections, as many as predicted; attempt 64,513 found no port; recovered"
	opened, noPort := int64(0), int64(0)
	for i := range int64(result.MaxRows) {
		n, p99 := random.Int64N(1e6), random.Int64N(17e6)+1
		row := result.Row{
			TNS: (i + 1) * 100_000_000, Opened: ports*(i+1)/result.MaxRows - opened, NoPort: failed*(i+1)/result.MaxRows - noPort, P99NS: &p99,
			States: &result.States{SynSent: &n, Established: &n, FinWait2: &n, CloseWait: &n, TimeWait: &n},
			Kernel: result.Counters{"ActiveOpens": n, "PassiveOpens": n}, UserCPUNS: n, SysCPUNS: 2 * n,
		}
		opened, noPort = opened+row.Opened, noPort+row.NoPort
		row.Open = opened
		r.Timeline = append(r.Timeline, row)
	}
	uses := new(result.PortMap)
	var first []uint16
	for port := 1024; port < 1<<16; port++ {
		for range 1 + random.IntN(3) {
			uses.Add(uint16(port))
		}
		first = append(first, uint16(port))
	}
	r.Ports = uses.Ports(first)
	return r
}

// surveyedInOrder is a survey with its first picks.
func surveyedInOrder() *result.Result {
	r := surveyed()
	r.Survey.Held.First = evenThenOdd(40000, 1000)
	return r
}

// surveyedAll is a survey of all 64,512 ports, in an order that no packing helps.
func surveyedAll() *result.Result {
	r, full := surveyedInOrder(), fullRange()
	random := rand.New(rand.NewPCG(3, 4))
	var first []uint16
	for port := 1024; port < 1<<16; port++ {
		first = append(first, uint16(port))
	}
	random.Shuffle(len(first), func(i, j int) { first[i], first[j] = first[j], first[i] })
	r.Latency, r.Timeline, r.Ports = full.Latency, full.Timeline, full.Ports
	r.Survey.Held.First, r.Survey.Held.Order = first[:result.MaxFirst], result.OrderMap(first).Encode()
	r.Survey.Released.Uses = full.Ports.Map
	return r
}

// throughGateway is a fill behind a gateway, with the ports of all three hosts by
// state.
func throughGateway() *result.Result {
	r := filled("connect")
	r.Config.Place, r.Config.NATRange, r.Config.NATAddresses = "nat", "2000-2999", []string{"198.19.255.1"}
	r.NAT = &result.NAT{
		Range: "2000-2999", Ports: 1000, Clients: 1, TimeoutNS: 120e9,
		Addresses: []result.NATAddress{{Address: "198.19.255.1", Connections: ptr(int64(1000)), Ports: ptr(int64(1000))}},
	}
	in := func(low int) *result.PortsIn {
		return portsIn(map[result.PortState][2]int{result.PortEstablished: {low, low + 899}, result.PortTimeWait: {low + 900, low + 999}})
	}
	r.PortStates = &result.PortStates{
		States: result.PortStateNames(), Moments: []result.PortMoment{{TNS: 2e8, At: "fullest", Client: in(40000), Server: in(2000), Gateway: in(2100)}},
	}
	return r
}

// ofShards is a result that two shards were merged into.
func ofShards() *result.Result {
	r := fullRange()
	r.Merged = &result.Merged{Count: 2, SkewNS: 33e6, Together: true, Shards: []result.MergedShard{{ID: "a"}, {Index: 1, ID: "b", StartedNS: 33e6}}}
	return r
}

// ofRepeats are two sets of repeats side by side.
func ofRepeats() *result.Set {
	var sides []reports.Side
	for _, folder := range []string{"before", "after"} {
		side := reports.Side{From: folder}
		for n := range 3 {
			r := filled("connect")
			r.Run.Repeat = n + 1
			side.Runs = append(side.Runs, r)
		}
		sides = append(sides, side)
	}
	return reports.Join(sides...)
}

// The parts of a sample add up, as those of a run do: else a picture of the wrong
// part would pass for the right one.
func TestFullRangeAddsUp(t *testing.T) {
	r := fullRange()
	var bands, failed, opened, noPort int64
	for _, b := range r.Occupancy {
		h, err := result.DecodeHistogram(b.HDR)
		if err != nil {
			t.Fatal(err)
		}
		if h.Count() != b.Count || h.Quantile(0.5) != b.P50NS || h.Quantile(0.99) != b.P99NS || h.Max() != b.MaxNS {
			t.Errorf("the band from %v is not its histogram", b.From)
		}
		if b.From >= 1 {
			failed += b.Count
			continue
		}
		bands += b.Count
	}
	for _, row := range r.Timeline {
		opened, noPort = opened+row.Opened, noPort+row.NoPort
	}
	for what, n := range map[string]int64{
		"bands": bands, "connect": r.Latency.Connect.Count, "close": r.Latency.Close.Count, "rows": opened, "connections": *r.Measured.Connections,
		"ports": r.Ports.Distinct, "server": r.Server.Accepted, "the last row": r.Timeline[len(r.Timeline)-1].Open,
	} {
		if n != r.Outcomes.OK {
			t.Errorf("%d connected, and %s have %d", r.Outcomes.OK, what, n)
		}
	}
	if failed != r.Outcomes.NoPort || noPort != failed || r.Latency.Failure.Count != failed {
		t.Errorf("%d failed: %d in bands, %d in rows, %d timed", r.Outcomes.NoPort, failed, noPort, r.Latency.Failure.Count)
	}
}

// samples is where TestWriteSamples leaves the pages that the browser tests open,
// each with the result that it shows.
var samples = flag.String("samples", "", "write sample pages to this `folder`")

func TestWriteSamples(t *testing.T) {
	folder := cmp.Or(*samples, t.TempDir())
	hard := joined(hostileHTML(t, hostileAs("fill")), hostileHTML(t, hostileAs("churn")), hostileHTML(t, hostileAs("reuse")))
	another := fullRange()
	another.Config.Strategy, another.Latency.Connect = "socket-range", another.Latency.Response
	claims, _ := samplesOfComparisons(t)
	for name, d := range map[string]result.Document{
		"fill": fullRange(), "churn": exhausted(), "reuse": timeWaited(), "survey": surveyedInOrder(),
		"reach": reached(), "nat": throughGateway(), "merged": ofShards(), "repeats": ofRepeats(),
		"bench": ways(), "compared": joined(fullRange(), another), "compare": claims, "plan": planned(), "doctor": container(), "watch": looked(),
		"hostile": hard.Runs[0], "hostile-churn": hard.Runs[1], "hostile-reuse": hard.Runs[2], "hostile-set": hard,
	} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path+".html", []byte(htmlOf(t, d)), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := result.Write(path+".json", d); err != nil && !strings.HasPrefix(name, "hostile") { // which has numbers that no file holds
			t.Fatal(fmt.Errorf("%s: %w", name, err))
		}
	}
}
