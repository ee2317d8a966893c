package loadgen

import (
	"fmt"
	"strings"

	"lastport/loadgen/kernel"
)

// NoPortsError says that not one port of the range can be used.
type NoPortsError struct {
	Range string
	Why   []string
}

func (e *NoPortsError) Error() string {
	return fmt.Sprintf("--range %s: no port of it can be used: %s", e.Range, strings.Join(e.Why, "; "))
}

// Hint says what to type.
func (e *NoPortsError) Hint() string { return "--range linux" }

// Usage says that the command line is wrong.
func (e *NoPortsError) Usage() bool { return true }

// KernelError says that the kernel does not have a socket option that a strategy
// needs.
type KernelError struct {
	Strategy string
	Option   string
	Since    string // the first Linux that has it
	err      error
}

func (e *KernelError) Error() string {
	return fmt.Sprintf("this kernel has no %s (Linux %s and later have it): %v", e.Option, e.Since, e.err)
}

// Unwrap returns the kernel's error.
func (e *KernelError) Unwrap() error { return e.err }

// Hint says what to type.
func (e *KernelError) Hint() string {
	if e.Strategy == "connect" {
		return "lastport churn measures reuse without it"
	}
	return "--strategy connect"
}

// kernelBytes is the kernel memory of one held TCP connection with both ends on
// this host: 7.5 to 7.85 KB measured on Linux 6.18, rounded up.
const kernelBytes = 8 << 10

// MemoryError says that the kernel has too little memory for the connections.
type MemoryError struct{ Connections, Need, Available int64 }

func (e *MemoryError) Error() string {
	return fmt.Sprintf("%d connections need about %d MB of kernel memory, and %d MB are available",
		e.Connections, e.Need>>20, e.Available>>20)
}

// Hint says what to type.
func (e *MemoryError) Hint() string {
	return fmt.Sprintf("--connections %d", max(1, e.Available*9/10/kernelBytes))
}

// checkMemory refuses what would end in the kernel running out of memory.
func checkMemory(connections int64) error {
	available, err := kernel.AvailableBytes()
	if err != nil {
		return nil // not known here: the run itself will show it
	}
	if need := connections * kernelBytes; need > available {
		return &MemoryError{Connections: connections, Need: need, Available: available}
	}
	return nil
}
