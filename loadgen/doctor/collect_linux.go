package doctor

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
)

// Collect reads the facts of this host as this process sees it. It changes no
// setting, and what it opens it closes again. childArgs are arguments with
// which this program calls InPlace: Collect starts it once in a private place.
func Collect(childArgs ...string) *Facts {
	f := &Facts{
		Kernel: kernel.Release(), UID: os.Getuid(), HZ: kernel.HZ(),
		Memory:   factOf(kernel.AvailableBytes()),
		Sysctls:  make(map[string]Fact[string]),
		SockStat: factOf(kernel.ReadSockStat()),
		Cgroup:   factOf(kernel.ReadCgroup(os.DirFS("/"))),
		Signs:    kernel.ContainerSigns(os.DirFS("/")),

		LocalPortRange: kernel.ProbeLocalPortRange(),
		BindNoPort:     kernel.ProbeBindAddressNoPort(),
		IOUring:        kernel.ProbeIOUring(),
		IPv6:           kernel.ProbeIPv6(),
	}
	if cpus, err := kernel.CPUs(); err == nil {
		f.CPUs = len(cpus)
	}
	for _, key := range Keys() {
		f.Sysctls[key] = factOf(kernel.ReadSysctl(key))
	}
	soft, hard, err := kernel.NoFileLimits()
	f.NoFile = factOf(NoFile{soft, hard}, err)
	f.Proc = proc()
	if privileges, err := kernel.ReadPrivileges(); err == nil {
		f.Seccomp = privileges.Seccomp == unix.SECCOMP_MODE_FILTER
	}
	f.Boot, f.BootUnreadable = readBoot(os.DirFS("/"))
	counters, err := kernel.ReadCounters()
	f.Dropped = factOf(counters["ListenOverflows"], err)
	f.lookAtSockets("/proc")
	f.Place = factOf(tryPlace(childArgs))
	return f
}

func factOf[T any](value T, err error) Fact[T] { return Fact[T]{value, err} }

// proc says what keeps /proc from being the kernel's.
func proc() error {
	var s unix.Statfs_t
	if err := unix.Statfs("/proc", &s); err != nil {
		return fmt.Errorf("statfs /proc: %w", err)
	}
	if s.Type != unix.PROC_SUPER_MAGIC {
		if list, err := os.ReadDir("/proc"); err == nil && len(list) == 0 {
			return errors.New("it is not mounted: the folder is empty")
		}
		return errors.New("another file system is in its place")
	}
	if _, err := os.Stat("/proc/self/exe"); err != nil {
		return err
	}
	return nil
}
