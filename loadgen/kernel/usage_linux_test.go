package kernel

import (
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
