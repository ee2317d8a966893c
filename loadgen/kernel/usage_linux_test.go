package kernel

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestProcessorTime(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	process, thread := ProcessCPU(), ThreadCPU()
	for ThreadCPU().Sub(thread).Total() < 20*time.Millisecond { // burns it
		runtime.KeepAlive(t)
	}
	p, own := ProcessCPU().Sub(process), ThreadCPU().Sub(thread)
	if p.Total() < own.Total() || own.User < 0 || own.System < 0 {
		t.Errorf("the process used %v, its thread %v", p, own)
	}
}

// The exact time moves within a tick, and is never behind what getrusage has
// counted.
func TestThreadTimeIsExact(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	last := ThreadTime()
	for range 100 {
		counted := ThreadCPU().Total()
		now := ThreadTime()
		if now <= last || now+2*time.Microsecond < counted {
			t.Fatalf("%v after %v, %v counted", now, last, counted)
		}
		last = now
	}
}

// The parts of a difference are never below 0, and its total stays.
func TestSplit(t *testing.T) {
	for in, want := range map[CPUTime]CPUTime{
		{User: 3, System: 4}:   {User: 3, System: 4},
		{User: 30, System: -9}: {User: 21},
		{User: -2, System: 12}: {System: 10},
		{User: -2, System: 1}:  {},
	} {
		if got := in.Split(); got != want {
			t.Errorf("%+v: %+v, want %+v", in, got, want)
		}
	}
}

// A thread's time is its own, and can be read from another one, while it works and
// until it has ended.
func TestThreadTime(t *testing.T) {
	busy, idle := newThread(t), newThread(t)
	defer idle.Close()
	const burn = 100 * time.Millisecond
	var during CPUTime
	busy.Do(func() {
		for ThreadCPU().Total() < burn {
			runtime.KeepAlive(t)
		}
		during = busy.CPUTime()
	})
	after, own := busy.CPUTime(), CPUTime{}
	busy.Do(func() { own = ThreadCPU() })
	if during.Total() < burn || after.Total() < during.Total() || own.Total()+2*time.Microsecond < after.Total() || own.Total() > after.Total()+burn {
		t.Errorf("%v while it worked, %v after that, %v by its own word", during.Total(), after.Total(), own.Total())
	}
	if after.User < 0 || after.System < 0 {
		t.Errorf("a thread that read the time again and again: %v user, %v system", after.User, after.System)
	}
	waitFor(t, "a tick of the kernel's to find user time", func() bool {
		busy.Do(func() {
			for i := range 10_000_000 {
				runtime.KeepAlive(i)
			}
		})
		return busy.CPUTime().User > 0
	})
	if least := idle.CPUTime(); least.Total() > burn/2 {
		t.Errorf("an idle thread used %v", least.Total())
	}
	busy.Close()
	waitFor(t, "the thread's end", func() bool { return busy.CPUTime() == CPUTime{} })
}

func TestReadTicks(t *testing.T) {
	for text, want := range map[string][2]int64{
		"7 (a) b) c) R 1 1 1 0 -1 4 5 6 7 8 123 456 0 0 20": {123, 456},
		"7 (exe) R 1 1 1 0 -1 4 5 6 7 8 123":                {-1, -1},
		"7 (exe) R 1 1 1 0 -1 4 5 6 7 8 x 456":              {-1, -1},
		"":                                                  {-1, -1},
	} {
		path := filepath.Join(t.TempDir(), "stat")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		user, system, err := readTicks(path)
		if got := [2]int64{user, system}; (err != nil) != (want[0] < 0) || err == nil && got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestMemory(t *testing.T) {
	total, err := TotalBytes()
	if err != nil {
		t.Fatal(err)
	}
	available, err := AvailableBytes()
	if err != nil {
		t.Fatal(err)
	}
	resident, err := ResidentBytes()
	if err != nil {
		t.Fatal(err)
	}
	if resident < 1<<20 || available <= 0 || available > total || resident > total {
		t.Errorf("resident %d, available %d, total %d bytes", resident, available, total)
	}
	if _, err := kilobytes("/proc/meminfo", "NoSuchLine:"); err == nil {
		t.Error("a line that is not there was read")
	}
}

// CONFIG_HZ has four values on the machines that Linux is built for (kernel/Kconfig.hz).
func TestHZ(t *testing.T) {
	if hz := HZ(); !slices.Contains([]int{100, 250, 300, 1000}, hz) {
		t.Errorf("HZ %d", hz)
	}
}

func TestRelease(t *testing.T) {
	want, err := ReadSysctl("kernel.osrelease")
	if err != nil || Release() != want || strings.TrimSpace(want) == "" {
		t.Errorf("release %q, %q by sysctl, %v", Release(), want, err)
	}
}

func TestClock(t *testing.T) {
	before := time.Now()
	c := NewClock()
	if c.Zero().Before(before) || time.Now().Before(c.Zero()) {
		t.Errorf("zero is %v", c.Zero())
	}
	last := int64(0)
	for range 1000 {
		now := c.Now()
		if now < last {
			t.Fatalf("%d after %d", now, last)
		}
		last = now
	}
	if n := testing.AllocsPerRun(100, func() { c.Now() }); n != 0 {
		t.Errorf("%v allocations a reading", n)
	}
}
