package kernel

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// CPUTime is processor time, as getrusage(2) counts it.
type CPUTime struct{ User, System time.Duration }

// Sub returns the time since an earlier reading.
func (t CPUTime) Sub(earlier CPUTime) CPUTime {
	return CPUTime{User: t.User - earlier.User, System: t.System - earlier.System}
}

// Plus returns the sum of both.
func (t CPUTime) Plus(other CPUTime) CPUTime {
	return CPUTime{User: t.User + other.User, System: t.System + other.System}
}

// Total is user and system time together.
func (t CPUTime) Total() time.Duration { return t.User + t.System }

// Split returns the same total with neither part below 0. The kernel knows the
// total and tells the parts by what its ticks found so far, so that a part of a
// difference may be more than all of it (cputime_adjust in
// kernel/sched/cputime.c keeps that from its own readings alone).
func (t CPUTime) Split() CPUTime {
	switch total := t.Total(); {
	case t.User < 0:
		return CPUTime{System: max(0, total)}
	case t.System < 0:
		return CPUTime{User: max(0, total)}
	}
	return t
}

// ProcessCPU returns the processor time of the whole process so far.
func ProcessCPU() CPUTime { return usage(unix.RUSAGE_SELF) }

// ProcessTime returns the processor time of the whole process to the nanosecond,
// where ProcessCPU may leave out what a thread used since its last tick. It does
// not tell user and system time apart.
func ProcessTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t) != nil { // every Linux has it
		return 0
	}
	return time.Duration(t.Nano())
}

// ThreadCPU returns the processor time of the calling thread so far.
func ThreadCPU() CPUTime { return usage(unix.RUSAGE_THREAD) }

// ThreadTime returns the processor time of the calling thread to the nanosecond,
// where ThreadCPU may leave out what it used since the last tick. It does not
// tell user and system time apart.
func ThreadTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil { // every Linux has it
		return 0
	}
	return time.Duration(t.Nano())
}

func usage(who int) CPUTime {
	var u unix.Rusage
	if unix.Getrusage(who, &u) != nil { // fails for a wrong argument only
		return CPUTime{}
	}
	return CPUTime{User: time.Duration(u.Utime.Nano()), System: time.Duration(u.Stime.Nano())}
}

// threadCPU returns the processor time of a thread of this process.
func threadCPU(tid int) CPUTime {
	// The clock of a thread has its number, inverted, above three bits that say that
	// it is a thread's (4) and exact (2): linux/posix-timers.h.
	var t unix.Timespec
	if unix.ClockGettime(int32(^tid<<3|6), &t) != nil {
		return CPUTime{} // it has ended
	}
	total := t.Nano()
	user, system, err := readTicks(fmt.Sprintf("/proc/self/task/%d/stat", tid))
	if err != nil || user+system == 0 {
		return CPUTime{System: time.Duration(total)} // less than a tick
	}
	own := int64(float64(total) * float64(user) / float64(user+system))
	return CPUTime{User: time.Duration(own), System: time.Duration(total - own)}
}

// readTicks reads user and system time from a stat file of /proc
// (proc_pid_stat(5)): fields 14 and 15, in ticks.
func readTicks(path string) (user, system int64, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, err
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:]) // the thread's name may hold anything
	const utime, stime = 14 - 3, 15 - 3                             // the first of the rest is field 3
	if len(fields) <= stime {
		return 0, 0, fmt.Errorf("%s: %d fields", path, len(fields))
	}
	if user, err = strconv.ParseInt(string(fields[utime]), 10, 64); err != nil {
		return 0, 0, fmt.Errorf("%s: user time: %w", path, err)
	}
	if system, err = strconv.ParseInt(string(fields[stime]), 10, 64); err != nil {
		return 0, 0, fmt.Errorf("%s: system time: %w", path, err)
	}
	return user, system, nil
}

// SlabBytes returns the memory in the kernel's own objects, sockets among them,
// of the whole host: Slab of /proc/meminfo.
func SlabBytes() (int64, error) { return kilobytes("/proc/meminfo", "Slab:") }

// ResidentBytes returns how much memory of the process is in RAM: VmRSS of
// /proc/self/status.
func ResidentBytes() (int64, error) { return kilobytes("/proc/self/status", "VmRSS:") }

// AvailableBytes returns how much memory programs can still get without
// swapping: MemAvailable of /proc/meminfo.
func AvailableBytes() (int64, error) { return kilobytes("/proc/meminfo", "MemAvailable:") }

// TotalBytes returns the machine's memory: MemTotal of /proc/meminfo.
func TotalBytes() (int64, error) { return kilobytes("/proc/meminfo", "MemTotal:") }

// kilobytes reads a "Name:  123 kB" line of a file under /proc.
func kilobytes(path, name string) (int64, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(data) {
		fields := bytes.Fields(line)
		if len(fields) >= 2 && string(fields[0]) == name {
			kb, err := strconv.ParseInt(string(fields[1]), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("%s: %s %w", path, name, err)
			}
			return kb * 1024, nil
		}
	}
	return 0, fmt.Errorf("%s: no line %s", path, name)
}

// Release returns the kernel's release, as uname -r prints it.
func Release() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

// HZ returns the kernel's timer interrupts per second, or 0 if it cannot be
// learned. The coarse clocks advance once a tick, and say so as their
// resolution (clock_getres(2)).
func HZ() int {
	var tick unix.Timespec
	if unix.ClockGetres(unix.CLOCK_MONOTONIC_COARSE, &tick) != nil || tick.Nano() <= 0 {
		return 0
	}
	return int((int64(time.Second) + tick.Nano()/2) / tick.Nano())
}
