package loadgen

import (
	"fmt"
	"math"
	"os"
	"sync/atomic"

	"lastport/loadgen/kernel"
	"lastport/reports/figures"
)

// kernelBytes is the kernel memory of one held TCP connection with both ends on
// this host: 7.5 to 7.85 KB measured on Linux 6.18, rounded up.
const kernelBytes = 8 << 10

// Needs is what holding connections takes of the machine, both ends together,
// beside what the machine has.
type Needs struct {
	Connections int64
	Files       int64 // descriptors
	FilesLeft   int64 // that the machine may still open (fs.file-max); below 0: not known, or no bound for this process
	FilesMost   int64 // fs.file-max
	Tables      Tables
	Memory      int64  // bytes, of the kernel
	MemoryLeft  int64  // bytes; below 0: not known
	MemoryBound string // what sets MemoryLeft: MemAvailable, or the file of a control group
}

// Needs reads what so many connections of the run need, and what there is. What
// cannot be learned is told as not known.
func (c *Config) Needs(connections int64) Needs {
	most := min(connections, math.MaxInt64/kernelBytes) // more do not fit anyway
	n := Needs{Connections: connections, Files: 2 * most, FilesLeft: -1, Memory: most * kernelBytes, MemoryLeft: -1, Tables: c.tables()}
	if c.UDP { // whose listener has one socket for all
		n.Files = most
	}
	if kernel.FilesBound() {
		if files, err := kernel.ReadFiles(); err == nil {
			n.FilesLeft, n.FilesMost = files.Left(), files.Most
		}
	}
	if left, bound, err := kernel.MemoryRoom(os.DirFS("/")); err == nil {
		n.MemoryLeft, n.MemoryBound = left, bound
	}
	return n
}

// Check refuses what would end in the machine running out of memory, files or
// descriptors: a *MemoryError, a *FilesError or a *TableError.
func (n Needs) Check() error {
	switch {
	case n.MemoryLeft >= 0 && n.Memory > usable(n.MemoryLeft):
		return &MemoryError{Connections: n.Connections, Need: n.Memory, Available: n.MemoryLeft, Bound: n.MemoryBound, Fits: n.fit()}
	case n.FilesLeft >= 0 && n.Files > usable(n.FilesLeft):
		return &FilesError{Connections: n.Connections, Need: n.Files, Left: n.FilesLeft, Most: n.FilesMost, Fits: n.fit()}
	case !n.Tables.fits(n.Connections):
		return &TableError{Connections: n.Connections, Tables: n.Tables, Fits: n.fit()}
	}
	return nil
}

// fit is how many connections all bounds together allow, one at least.
func (n Needs) fit() int64 {
	most := n.Connections
	if n.MemoryLeft >= 0 {
		most = min(most, usable(n.MemoryLeft)/kernelBytes)
	}
	if n.FilesLeft >= 0 {
		each := max(1, n.Files/max(1, n.Connections))
		most = min(most, usable(n.FilesLeft)/each)
	}
	if n.Tables.Limit > 0 && most > n.Tables.certain() {
		most = n.Tables.certain()
	}
	return max(1, most)
}

// usable is what a run may take of what is left: nine parts in ten. Other programs
// go on.
func usable(left int64) int64 { return left / 10 * 9 }

// lowMemory watches what memory is left while a run opens connections: a machine
// whose memory runs out kills programs, and not always the one that took it.
type lowMemory struct {
	set   atomic.Bool // it has fallen below the floor
	floor int64       // bytes; 0: not known
	left  int64       // when it was set
	read  func() (int64, error)
}

// newLowMemory sets the floor at half of what a run leaves to others.
func newLowMemory(read func() (int64, error)) *lowMemory {
	l := &lowMemory{read: read}
	if left, err := read(); err == nil {
		l.floor = (left - usable(left)) / 2
	}
	return l
}

// memoryLeft is what newLowMemory reads in a run.
func memoryLeft() (int64, error) {
	left, _, err := kernel.MemoryRoom(os.DirFS("/"))
	return left, err
}

// look reads what is left.
func (l *lowMemory) look() {
	if l.floor == 0 || l.set.Load() {
		return
	}
	if left, err := l.read(); err == nil && left < l.floor {
		l.left = left
		l.set.Store(true)
	}
}

// MemoryError says that there is too little memory for the connections.
type MemoryError struct {
	Connections, Need, Available int64
	Bound                        string // what says how much is available
	Fits                         int64  // connections that all of the machine's bounds allow
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("%s connections need %s MB of kernel memory, %d bytes each with both ends, and of the %s MB available (%s) a run takes at most 90 %%",
		figures.Grouped(e.Connections), figures.Grouped(e.Need>>20), kernelBytes, figures.Grouped(e.Available>>20), e.Bound)
}

// Hint says what to type.
func (e *MemoryError) Hint() string { return fmt.Sprintf("--connections %d", e.Fits) }

// FilesError says that the machine may not open as many files as the connections
// need.
type FilesError struct {
	Connections, Need, Left int64
	Most                    int64 // fs.file-max
	Fits                    int64 // connections that all of the machine's bounds allow
}

func (e *FilesError) Error() string {
	return fmt.Sprintf("%s connections need %s open files, one for each end, and of the %s that fs.file-max leaves to all programs a run takes at most 90 %%",
		figures.Grouped(e.Connections), figures.Grouped(e.Need), figures.Grouped(e.Left))
}

// Hint says what to type.
func (e *FilesError) Hint() string {
	left := (e.Need + 8) / 9 * 10 // of which a run may take all that it needs
	return fmt.Sprintf("--connections %d, or as root: sysctl -w fs.file-max=%d", e.Fits, e.Most-e.Left+left)
}
