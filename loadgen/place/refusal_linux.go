package place

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
)

// RefusedError says that this system does not let the caller make the
// namespaces of a private place, what blocks it and what removes the block.
type RefusedError struct {
	blocker string
	hint    string
	err     error
}

// Error names the kernel's answer and the blocker.
func (e *RefusedError) Error() string { return e.err.Error() + ": " + e.blocker }

// Hint says what removes the block.
func (e *RefusedError) Hint() string { return e.hint }

// Unwrap returns the error of the call that was refused.
func (e *RefusedError) Unwrap() error { return e.err }

// refused explains err if it is an answer that the kernel gives where
// namespaces are not allowed (clone(2), user_namespaces(7)).
func refused(err error) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err
	}
	switch errno {
	case unix.EMFILE:
		return &RefusedError{blocker: "the descriptor limit is too low (RLIMIT_NOFILE)", hint: "ulimit -n 1024", err: err}
	case unix.EPERM, unix.EACCES, unix.ENOSPC, unix.EUSERS, unix.EINVAL, unix.ENOSYS:
		blocker, hint := diagnose(errno, readSystem())
		return &RefusedError{blocker: blocker, hint: hint, err: err}
	}
	return err
}

// system is what /proc says that bears on namespaces. Absent settings are empty,
// unreadable ones "?".
type system struct {
	root        bool   // the caller is root, in its own namespace at least
	seccomp     bool   // a filter is in force
	appArmor    string // kernel.apparmor_restrict_unprivileged_userns, Ubuntu 23.10 and later
	usernsClone string // kernel.unprivileged_userns_clone, Debian's and Arch's kernels
	maxUser     string // user.max_user_namespaces
	maxNet      string // user.max_net_namespaces
	userNS      bool   // the kernel has user namespaces
	netNS       bool   // the kernel has network namespaces
}

func readSystem() system {
	privileges, err := kernel.ReadPrivileges()
	return system{
		root:        os.Geteuid() == 0,
		seccomp:     err == nil && privileges.Seccomp == 2, // SECCOMP_MODE_FILTER
		appArmor:    setting(keyAppArmor),
		usernsClone: setting(keyUsernsClone),
		maxUser:     setting(keyMaxUser),
		maxNet:      setting(keyMaxNet),
		userNS:      exists("/proc/self/ns/user"),
		netNS:       exists("/proc/self/ns/net"),
	}
}

const (
	keyAppArmor    = "kernel.apparmor_restrict_unprivileged_userns"
	keyUsernsClone = "kernel.unprivileged_userns_clone"
	keyMaxUser     = "user.max_user_namespaces"
	keyMaxNet      = "user.max_net_namespaces"
)

func setting(key string) string {
	value, err := kernel.ReadSysctl(key)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return ""
	case err != nil:
		return "?"
	}
	return value
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// diagnose names what blocks namespaces, and the way out, from the kernel's
// error number and what /proc says.
func diagnose(errno syscall.Errno, s system) (blocker, hint string) {
	switch {
	case !s.netNS:
		return "this kernel has no network namespaces (CONFIG_NET_NS)", "run it on a kernel built with CONFIG_NET_NS"
	case !s.userNS:
		return "this kernel has no user namespaces (CONFIG_USER_NS)", asRoot(s, "run it on a kernel built with CONFIG_USER_NS")
	case errno == unix.ENOSPC || errno == unix.EUSERS:
		return diagnoseLimit(s)
	case errno == unix.EPERM || errno == unix.EACCES || errno == unix.ENOSYS:
		return diagnosePermission(s)
	}
	return "this kernel does not make such namespaces", asRoot(s, "run it on a kernel built with CONFIG_USER_NS and CONFIG_NET_NS")
}

// diagnoseLimit explains that there are too many namespaces. Every user
// namespace from the caller's to the first has limits of its own; those of the
// outer ones cannot be seen from here.
func diagnoseLimit(s system) (blocker, hint string) {
	switch {
	case s.maxUser == "0":
		return keyMaxUser + "=0 forbids user namespaces", asRoot(s, "sudo sysctl -w "+keyMaxUser+"=1000")
	case s.maxNet == "0":
		return keyMaxNet + "=0 forbids network namespaces", "sudo sysctl -w " + keyMaxNet + "=1000"
	}
	return fmt.Sprintf("the limit of namespaces is reached (%s=%s, %s=%s, or that of a container around this one)",
			keyMaxUser, s.maxUser, keyMaxNet, s.maxNet),
		fmt.Sprintf("sudo sysctl -w %s=100000 %s=100000", keyMaxUser, keyMaxNet)
}

// wanting explains an answer of the kernel to a place that has so many network
// namespaces and needs one more, and says what works with those that there are.
// Which limit was reached cannot be seen: it may be that of a user namespace
// around this one.
func (s Spec) wanting(err error, have int) error {
	if !errors.Is(err, unix.ENOSPC) {
		return refused(err)
	}
	works := "--place private, which needs one"
	switch fewer := have - beside; {
	case s.Kind == NAT && fewer > 0:
		works = fmt.Sprintf("--clients %d", fewer)
	case s.Kind == NAT && have >= 2:
		works = "--place pair, which needs 2"
	}
	return &RefusedError{
		blocker: fmt.Sprintf("the place needs %d network namespaces, and with %d the limit is reached (%s, here or of a container around this one)",
			s.namespaces(), have, keyMaxNet),
		hint: "sudo sysctl -w " + keyMaxNet + "=100000, or " + works, err: err,
	}
}

// beside is how many hosts --place nat has beside its clients.
const beside = 2

// namespaces is how many hosts the place has.
func (s Spec) namespaces() int {
	switch s.Kind {
	case Pair:
		return 2
	case NAT:
		return beside + 1 + len(s.Others)
	}
	return 1
}

// diagnosePermission names everything that may have refused: the kernel does
// not say which it was.
func diagnosePermission(s system) (blocker, hint string) {
	var blockers, hints []string
	suspect := func(blocker, hint string) {
		blockers, hints = append(blockers, blocker), append(hints, hint)
	}
	if s.usernsClone == "0" && !s.root {
		suspect(keyUsernsClone+"=0 keeps user namespaces from ordinary users", asRoot(s, "sudo sysctl -w "+keyUsernsClone+"=1"))
	}
	if s.appArmor == "1" && !s.root {
		suspect("AppArmor keeps user namespaces from ordinary users ("+keyAppArmor+"=1)", asRoot(s, "sudo sysctl -w "+keyAppArmor+"=0"))
	}
	if s.seccomp {
		suspect("a seccomp filter, as containers have, forbids new namespaces",
			"start the container with --privileged, or with --security-opt seccomp=unconfined --security-opt systempaths=unconfined")
	}
	if s.appArmor == "?" && !s.root {
		suspect("AppArmor may keep user namespaces from ordinary users ("+keyAppArmor+" cannot be read)", asRoot(s, "sudo sysctl -w "+keyAppArmor+"=0"))
	}
	if len(blockers) == 0 {
		return "a security module, a container or a chroot forbids new namespaces", asRoot(s, "run it outside of the container or chroot")
	}
	return strings.Join(blockers, "; or "), strings.Join(hints, ", or ")
}

// asRoot adds, for who is not root, that root needs no user namespace.
func asRoot(s system, hint string) string {
	if s.root {
		return hint
	}
	return hint + ", or run lastport as root"
}
