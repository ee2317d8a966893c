package loadgen

import (
	"fmt"
	"strings"
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

// ProtocolError says that a scenario cannot be made over a protocol.
type ProtocolError struct {
	Scenario, Proto string
	Why             string
}

func (e *ProtocolError) Error() string {
	return fmt.Sprintf("%s over %s: %s", e.Scenario, e.Proto, e.Why)
}

// Hint says what to type.
func (e *ProtocolError) Hint() string { return "--proto tcp" }

// Usage says that the command line is wrong.
func (e *ProtocolError) Usage() bool { return true }

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
