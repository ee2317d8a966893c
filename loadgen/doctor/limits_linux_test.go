package doctor

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// Of each kind the nearest limit comes first, and none is of what could not be read.
func TestLimits(t *testing.T) {
	f := healthy()
	f.SockStat.Value = kernel.SockStat{InUse: 20_000, TimeWait: 100_000}
	f.Use.Value = Use{
		Pairs: pairs(18_000, 3000, 18_000),
		Processes: []Process{
			{UID: 33, Connections: 9000},
			{Command: "proxy", PID: 7, Connections: 5000, Files: 5100, FilesMax: 65_536},
			{Command: "job", PID: 8, Connections: 900, Files: 1000, FilesMax: 1024},
			{Command: "free", PID: 9, Connections: 10, Files: 20},
		},
		Queue: Queue{netip.MustParseAddrPort("0.0.0.0:80"), 100, 128},
	}
	want := []result.Limit{
		{Name: "descriptors of job (8)", Of: result.LimitOpen, Used: 1000, Max: 1024, Left: 24},
		{Name: "ports toward 192.0.2.2:443", Of: result.LimitOpen, Used: 18_000, Max: 28_232, Left: 10_232},
		{Name: "tracked connections", Of: result.LimitOpen, Max: 262_144, Left: 262_144},
		{Name: "memory, at 4 KiB each", Of: result.LimitOpen, Used: 20_000, Max: 20_000 + 2<<20, Left: 2 << 20},
		{Name: "open files of all", Of: result.LimitOpen, Used: 449, Max: 2_466_170, Left: 2_465_721},
		{Name: "sockets in TIME_WAIT", Of: result.LimitClosed, Used: 100_000, Max: 131_072, Left: 31_072},
		{Name: "queue of 0.0.0.0:80", Of: result.LimitQueued, Used: 100, Max: 128, Left: 28},
	}
	if got := f.limits(); !slices.Equal(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}

	f.Use = Fact[Use]{Err: errUnreadable}
	f.SockStat.Err = errUnreadable
	f.lose(keyTrackedMax, errUnreadable)
	if got := f.limits(); len(got) != 1 || got[0].Name != "open files of all" {
		t.Errorf("%+v", got)
	}
}

// Each kind of limit that is nearly reached says what a program meets there.
func TestNextLimitSaysWhatComesBeyond(t *testing.T) {
	for says, change := range map[string]func(*Facts){
		"EADDRNOTAVAIL": func(f *Facts) { f.Use.Value.Pairs = pairs(28_000, 0, 28_000) },
		"EMFILE": func(f *Facts) {
			f.Use.Value.Processes = []Process{{Command: "job", PID: 8, Files: 1000, FilesMax: 1024}}
		},
		"times out": func(f *Facts) { f.put(keyTracked, "262000") },
		"ENOBUFS":   func(f *Facts) { f.Memory.Value = 1 << 20; f.SockStat.Value.InUse = 100_000 },
	} {
		f := healthy()
		change(f)
		if c := examined(t, f, "next limit"); c.Status != result.Noted || !strings.Contains(c.Allows, says) {
			t.Errorf("%s: %+v", says, c)
		}
	}
}
