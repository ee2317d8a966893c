package watch

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/ports"
	"lastport/reports/result"
)

// fake is a host whose sockets, clock and costs a test decides.
type fake struct {
	Settings
	sockets  []diag.Socket
	owners   map[uint32]kernel.Process
	searches int
	opens    int64
	now      time.Time
	cpu      time.Duration
	perLook  time.Duration // what a look costs
	search   time.Duration // what a search for processes costs
	cut      bool
}

func newFake() *fake {
	return &fake{
		Settings: Settings{Range: ports.Range{Low: 40000, High: 40999}},
		now:      time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func (f *fake) host() Host {
	return Host{
		Settings: func() (Settings, error) { f.cpu += f.perLook; return f.Settings, nil },
		Sockets: func(states diag.States, _ diag.Ports, each func(*diag.Socket)) (bool, error) {
			for i := range f.sockets {
				if s := &f.sockets[i]; states&diag.Of(s.State) != 0 {
					each(s)
				}
			}
			return f.cut, nil
		},
		Owners: func() map[uint32]kernel.Process { f.searches++; f.cpu += f.search; return f.owners },
		Opens:  func() int64 { return f.opens },
		Now:    func() time.Time { return f.now },
		CPU:    func() time.Duration { return f.cpu },
	}
}

// add adds sockets from ports that follow one another.
func (f *fake) add(state diag.State, from netip.AddrPort, to string, n int, left time.Duration) {
	for i := range n {
		f.sockets = append(f.sockets, diag.Socket{
			State: state, Local: netip.AddrPortFrom(from.Addr(), from.Port()+uint16(i)), Remote: netip.MustParseAddrPort(to),
			Inode: uint32(len(f.sockets) + 1), UID: 7, Left: left,
		})
		if state == diag.TimeWait {
			f.sockets[len(f.sockets)-1].Inode = 0
		}
	}
}

func at(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// looked looks, and fails the test if that cannot be.
func looked(t *testing.T, w *Watcher) *result.Watch {
	t.Helper()
	seen, err := w.Look()
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestLookCounts(t *testing.T) {
	f := newFake()
	f.Reserved = ports.Of(ports.Range{Low: 40990, High: 41010}) // ten of the range
	f.add(diag.Listen, at("0.0.0.0:40500"), "0.0.0.0:0", 1, 0)
	f.add(diag.BoundInactive, at("10.0.0.1:40501"), "0.0.0.0:0", 1, 0)
	f.add(diag.Listen, at("0.0.0.0:80"), "0.0.0.0:0", 1, 0)                               // not of the range
	f.add(diag.Established, at("10.0.0.1:40500"), "10.0.0.9:50000", 1, 0)                 // came in
	f.add(diag.Established, at("10.0.0.1:80"), "10.0.0.9:50001", 1, 0)                    // came in
	f.add(diag.Established, at("10.0.0.1:40000"), "10.0.0.7:443", 10, 0)                  // goes out
	f.add(diag.SynSent, at("10.0.0.1:40010"), "10.0.0.7:443", 5, 0)                       //
	f.add(diag.TimeWait, at("10.0.0.1:40020"), "10.0.0.7:443", 20, 30e9)                  //
	f.add(diag.Established, at("10.0.0.2:40000"), "10.0.0.7:443", 3, 0)                   // another source
	f.add(diag.Established, at("10.0.0.1:40000"), "10.0.0.7:80", 2, 0)                    // another target
	f.add(diag.TimeWait, at("[::1]:40000"), "[::1]:443", 4, 30e9)                         //
	f.add(diag.Established, at("[::ffff:10.0.0.1]:40100"), "[::ffff:10.0.0.7]:443", 6, 0) // IPv4 in IPv6's clothes
	f.owners = map[uint32]kernel.Process{}
	for i, s := range f.sockets {
		if s.Remote == at("10.0.0.7:443") {
			f.owners[uint32(i+1)] = kernel.Process{PID: 42, Name: "proxy"}
		}
	}
	f.cut = true
	seen := looked(t, New(f.host(), time.Second, 3))
	want := &result.Watch{
		Schema: result.WatchSchema, IntervalNS: 1e9, Interrupted: true,
		Ports:       result.WatchPorts{Range: "40000-40999", Reserved: 10, Held: 2, Usable: 988},
		Connections: 50, TimeWait: 24, PairsTotal: 4,
		Pairs: []result.WatchPair{
			{Source: "10.0.0.1", Target: "10.0.0.7:443", Used: 41, TimeWait: 20, Taken: 41, Occupancy: 41.0 / 988, Process: "proxy[42]"},
			{Source: "::1", Target: "[::1]:443", Used: 4, TimeWait: 4, Taken: 4, Occupancy: 4.0 / 988},
			{Source: "10.0.0.2", Target: "10.0.0.7:443", Used: 3, Taken: 3, Occupancy: 3.0 / 988, Process: "proxy[42]"},
		},
		Processes: []result.Process{
			{Command: "proxy", PID: 42, UID: 7, Connections: 18, Target: "10.0.0.7:443"},
			{UID: 7, Connections: 8, Target: "10.0.0.7:443"},
		},
		Unattended: "8 connections have a process that cannot be seen: another user's, which root alone may look into, or one whose threads have descriptors of their own",
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

// A port in TIME_WAIT that tcp_tw_reuse gives out again is in use, and not taken.
func TestPortsThatAreReusedAreNotTaken(t *testing.T) {
	for _, c := range []struct {
		setting             int
		loopback, elsewhere int64
	}{{0, 5, 5}, {1, 0, 0}, {2, 0, 5}} {
		f := newFake()
		f.TWReuse = c.setting
		f.add(diag.TimeWait, at("127.0.0.1:40000"), "127.0.0.2:80", 5, 30e9)
		f.add(diag.TimeWait, at("10.0.0.1:40000"), "10.0.0.7:80", 5, 30e9)
		seen := looked(t, New(f.host(), time.Second, 9))
		got := map[string]int64{}
		for _, p := range seen.Pairs {
			got[p.Source] = p.Taken
			if p.Used != 5 || p.TimeWait != 5 {
				t.Errorf("%+v", p)
			}
		}
		if want := map[string]int64{"127.0.0.1": c.loopback, "10.0.0.1": c.elsewhere}; !cmp.Equal(got, want) {
			t.Errorf("tcp_tw_reuse %d: taken %v, want %v", c.setting, got, want)
		}
	}
}

// A churn at a steady rate is seen as such, from its first second until TIME_WAITs
// end as fast as they begin: how many close, by how many more ports are taken, and
// that none will be missing. So it is where the kernel's timer is late to end them.
func TestRatesOfAChurn(t *testing.T) {
	const perSecond = 10
	for _, late := range []int{0, 2} {
		f := newFake()
		w := New(f.host(), time.Second, 1)
		looked(t, w) // nothing yet
		for second := 1; second <= 150; second++ {
			f.now = f.now.Add(time.Second)
			f.opens += perSecond
			f.sockets = nil
			for ago := range min(second, 60+late) { // closed so many seconds ago, and a little
				from := fmt.Sprintf("10.0.0.1:%d", 40000+(second-ago)*perSecond%1000)
				left := time.Duration(60-ago)*time.Second - time.Millisecond
				f.add(diag.TimeWait, at(from), "10.0.0.7:80", perSecond, max(0, left))
			}
			seen := looked(t, w)
			p := seen.Fullest()
			if *seen.OpenedPerS != perSecond || *p.ClosedPerS < perSecond-0.01 || *p.ClosedPerS > perSecond+0.01 {
				t.Fatalf("%d s late, second %d: %v opened, %v closed", late, second, *seen.OpenedPerS, *p.ClosedPerS)
			}
			if second <= 60 && *p.GrowthPerS != perSecond || second > 149 && *p.GrowthPerS > 0.1 {
				t.Fatalf("%d s late, second %d: grows by %v", late, second, *p.GrowthPerS)
			}
			if p.ExhaustedInNS != nil { // 600 of 1,000 ports, and a little
				t.Fatalf("%d s late, second %d: none left in %v", late, second, time.Duration(*p.ExhaustedInNS))
			}
		}
	}
}

// Of 100 ports a churn of 10 a second leaves none after ten seconds, and a watch says
// so from its second look on.
func TestForecastOfAChurnThatIsTooFast(t *testing.T) {
	f := newFake()
	f.Range.High = 40099
	w := New(f.host(), time.Second, 1)
	for second := range 10 {
		f.add(diag.TimeWait, at(fmt.Sprintf("10.0.0.1:%d", 40000+10*second)), "10.0.0.7:80", 10, 60e9)
		seen := looked(t, w)
		for i := range f.sockets {
			f.sockets[i].Left -= time.Second
		}
		f.now = f.now.Add(time.Second)
		in := seen.Fullest().ExhaustedInNS
		switch want := time.Duration(9-second) * time.Second; {
		case second == 0 && in != nil:
			t.Errorf("after one look: %d", *in)
		case second > 0 && (in == nil || time.Duration(*in).Round(time.Millisecond) != want):
			t.Errorf("second %d: %v, want %v", second, in, want)
		}
	}
}

// Processes are looked for seldom where it costs much, and what was found is told
// until then, with its age.
func TestProcessesAreLookedForAsOftenAsIsCheap(t *testing.T) {
	f := newFake()
	f.add(diag.Established, at("10.0.0.1:40000"), "10.0.0.7:80", 1, 0)
	f.owners = map[uint32]kernel.Process{1: {PID: 1, Name: "a"}}
	f.search = time.Second // 4 % of 25 s
	w := New(f.host(), time.Second, 1)
	for second := range 51 {
		seen := looked(t, w)
		if want := second/25 + 1; f.searches != want {
			t.Fatalf("second %d: %d searches, want %d", second, f.searches, want)
		}
		if age := time.Duration(seen.ProcessNS); age != time.Duration(second%25)*time.Second || seen.Pairs[0].Process != "a[1]" {
			t.Fatalf("second %d: %q of %v ago", second, seen.Pairs[0].Process, age)
		}
		if w.Interval() != time.Second {
			t.Fatalf("second %d: next look in %v", second, w.Interval())
		}
		f.now = f.now.Add(time.Second)
	}
}

// What is done between looks with what they found counts too.
func TestExpensiveLooksAreMadeLessOften(t *testing.T) {
	f := newFake()
	f.perLook = 100 * time.Millisecond
	w := New(f.host(), time.Second, 1)
	if looked(t, w); w.Interval() != 2*time.Second {
		t.Errorf("a look of 100 ms every %v", w.Interval())
	}
	f.cpu += 50 * time.Millisecond // rendered, and served
	if seen := looked(t, w); w.Interval() != 3*time.Second || seen.CPUNS != 150e6 || seen.IntervalNS != 3e9 {
		t.Errorf("150 ms every %v: %+v", w.Interval(), seen)
	}
	f.perLook = 0
	if looked(t, w); w.Interval() != time.Second {
		t.Errorf("a look of nothing every %v", w.Interval())
	}
}

// A host whose every connection has a target of its own does not fill the memory.
func TestPairsAreBounded(t *testing.T) {
	f := newFake()
	for i := range maxPairs + 10 {
		target := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 80)
		f.sockets = append(f.sockets, diag.Socket{State: diag.Established, Local: at("10.0.0.1:40000"), Remote: target})
	}
	seen := looked(t, New(f.host(), time.Second, 5))
	if seen.PairsTotal != maxPairs || seen.Connections != maxPairs+10 || len(seen.Pairs) != 5 {
		t.Errorf("%d pairs of %d connections, %d told", seen.PairsTotal, seen.Connections, len(seen.Pairs))
	}
}

// BenchmarkLook is the cost of counting a socket, without the kernel's list.
func BenchmarkLook(b *testing.B) {
	for _, pairs := range []int{1, 20, 20_000} {
		b.Run(fmt.Sprintf("200000 sockets, %d pairs", pairs), func(b *testing.B) {
			f := newFake()
			f.Range = ports.Range{Low: 1024, High: 65535}
			for i := range 200_000 {
				target := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i % pairs >> 8), byte(i % pairs)}), 80)
				f.sockets = append(f.sockets, diag.Socket{
					State: diag.TimeWait, Local: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, 0, 1}), uint16(1024+i%64512)), Remote: target, Left: time.Minute,
				})
			}
			w := New(f.host(), time.Second, 20)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.Look(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/200_000, "ns/socket")
		})
	}
}
