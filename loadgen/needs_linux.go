package loadgen

import (
	"fmt"
	"math"
	"os"
	"sync/atomic"

	"lastport/loadgen/kernel"
)

// kernelBytes is the kernel memory of one held TCP connection with both ends on
// this host: 7.5 to 7.85 KB measured on Linux 6.18, rounded up.
const kernelBytes = 8 << 10

// Needs is what holding connections takes of the machine, both ends together,
// beside what the machine has.
type Needs struct {
	Connections int64
	Files       int64  // descriptors
	FilesLeft   int64  // that the machine may still open (fs.file-max); below 0: not known, or no bound for this process
	TableLimit  uint64 // descriptors of one table (RLIMIT_NOFILE); 0: not known
	Memory      int64  // bytes, of the kernel
	MemoryLeft  int64  // bytes; below 0: not known
	MemoryBound string // what sets MemoryLeft: MemAvailable, or the file of a control group
}

// ReadNeeds reads what so many connections need, and what there is. What cannot be
// learned is told as not known.
func ReadNeeds(connections int64, udp bool) Needs {
	most := min(connections, math.MaxInt64/kernelBytes) // more do not fit anyway
	n := Needs{Connections: connections, Files: 2 * most, FilesLeft: -1, Memory: most * kernelBytes, MemoryLeft: -1}
	if udp { // whose listener has one socket for all
		n.Files = most
	}
	if kernel.FilesBound() {
		if files, err := kernel.ReadFiles(); err == nil {
			n.FilesLeft = files.Left()
		}
	}
	if limit, err := kernel.NoFileLimit(); err == nil {
		n.TableLimit = limit
	}
	if left, bound, err := kernel.MemoryRoom(os.DirFS("/")); err == nil {
		n.MemoryLeft, n.MemoryBound = left, bound
	}
	return n
}

// Check refuses what would end in the machine running out of memory or files: a
// *MemoryError or a *FilesError.
func (n Needs) Check() error {
	switch {
	case n.MemoryLeft >= 0 && n.Memory > usable(n.MemoryLeft):
		return &MemoryError{Connections: n.Connections, Need: n.Memory, Available: n.MemoryLeft, Bound: n.MemoryBound}
	case n.FilesLeft >= 0 && n.Files > usable(n.FilesLeft):
		return &FilesError{Connections: n.Connections, Need: n.Files, Left: n.FilesLeft}
	}
	return nil
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
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("%s connections need %s MB of kernel memory, %d bytes each with both ends, and of the %s MB available (%s) a run takes at most 90 %%",
		grouped(e.Connections), grouped(e.Need>>20), kernelBytes, grouped(e.Available>>20), e.Bound)
}

// Hint says what to type.
func (e *MemoryError) Hint() string {
	return fmt.Sprintf("--connections %d", max(1, usable(e.Available)/kernelBytes))
}

// FilesError says that the machine may not open as many files as the connections
// need.
type FilesError struct{ Connections, Need, Left int64 }

func (e *FilesError) Error() string {
	return fmt.Sprintf("%s connections need %s open files, one for each end, and of the %s that fs.file-max leaves to all programs a run takes at most 90 %%",
		grouped(e.Connections), grouped(e.Need), grouped(e.Left))
}

// Hint says what to type.
func (e *FilesError) Hint() string {
	each := max(1, e.Need/max(1, e.Connections))
	return fmt.Sprintf("--connections %d, or as root: sysctl fs.file-max", max(1, usable(e.Left)/each))
}
