package kernel

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Privileges is what the kernel lets the calling thread do, and what may keep
// it from more.
type Privileges struct {
	Effective uint64 // capabilities in force, one bit each (capabilities(7))
	Seccomp   int    // SECCOMP_MODE_*: 2 is a filter, as containers have (seccomp(2))
}

// Has says whether the capability, unix.CAP_…, is in force.
func (p Privileges) Has(capability int) bool { return p.Effective>>capability&1 == 1 }

// ReadPrivileges reads the calling thread's privileges from /proc.
func ReadPrivileges() (Privileges, error) {
	// The file is that of the thread that opens it and ends with that thread: it
	// has to be read before the goroutine moves on.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	text, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return Privileges{}, fmt.Errorf("read privileges: %w", err)
	}
	return parseStatus(string(text))
}

// parseStatus reads the lines CapEff and Seccomp of proc_pid_status(5). A kernel
// without seccomp has no line for it.
func parseStatus(text string) (Privileges, error) {
	var p Privileges
	found := false
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		var err error
		switch name {
		case "CapEff":
			p.Effective, err = strconv.ParseUint(value, 16, 64)
			found = true
		case "Seccomp":
			p.Seccomp, err = strconv.Atoi(value)
		}
		if err != nil {
			return Privileges{}, fmt.Errorf("read privileges: %s: %w", name, err)
		}
	}
	if !found {
		return Privileges{}, fmt.Errorf("read privileges: no line CapEff in /proc/thread-self/status")
	}
	return p, nil
}

// NetNS names the calling thread's network namespace, as in net:[4026531840].
// The name is unique among the namespaces that exist at one time.
func NetNS() (string, error) {
	name, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		return "", fmt.Errorf("network namespace: %w", err)
	}
	return name, nil
}
