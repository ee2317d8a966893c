package place

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// open is a system that forbids nothing.
var open = system{maxUser: "96365", maxNet: "96365", userNS: true, netNS: true}

func TestDiagnose(t *testing.T) {
	for _, c := range []struct {
		name    string
		errno   syscall.Errno
		change  func(*system)
		blocker string
		hint    string
	}{
		{
			"AppArmor", unix.EPERM, func(s *system) { s.appArmor = "1" },
			"AppArmor keeps user namespaces from ordinary users (kernel.apparmor_restrict_unprivileged_userns=1)",
			"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run lastport as root",
		},
		{
			"AppArmor that cannot be read", unix.EACCES, func(s *system) { s.appArmor = "?" },
			"AppArmor may keep user namespaces from ordinary users (kernel.apparmor_restrict_unprivileged_userns cannot be read)",
			"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run lastport as root",
		},
		{
			"AppArmor does not bind root", unix.EPERM, func(s *system) { s.appArmor, s.root = "1", true },
			"a security module, a container or a chroot forbids new namespaces", "run it outside of the container or chroot",
		},
		{
			"Debian", unix.EPERM, func(s *system) { s.usernsClone = "0" },
			"kernel.unprivileged_userns_clone=0 keeps user namespaces from ordinary users",
			"sudo sysctl -w kernel.unprivileged_userns_clone=1, or run lastport as root",
		},
		{
			"seccomp", unix.EPERM, func(s *system) { s.seccomp, s.root = true, true },
			"a seccomp filter, as containers have, forbids new namespaces",
			"start the container with --privileged, or with --security-opt seccomp=unconfined --security-opt systempaths=unconfined",
		},
		{
			"two suspects", unix.EPERM, func(s *system) { s.seccomp, s.appArmor = true, "1" },
			"AppArmor keeps user namespaces from ordinary users (kernel.apparmor_restrict_unprivileged_userns=1); or " +
				"a seccomp filter, as containers have, forbids new namespaces",
			"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run lastport as root, or start the container with " +
				"--privileged, or with --security-opt seccomp=unconfined --security-opt systempaths=unconfined",
		},
		{
			"no user namespaces allowed", unix.ENOSPC, func(s *system) { s.maxUser = "0" },
			"user.max_user_namespaces=0 forbids user namespaces",
			"sudo sysctl -w user.max_user_namespaces=1000, or run lastport as root",
		},
		{
			"no network namespaces allowed", unix.ENOSPC, func(s *system) { s.maxNet = "0" },
			"user.max_net_namespaces=0 forbids network namespaces", "sudo sysctl -w user.max_net_namespaces=1000",
		},
		{
			"too many", unix.ENOSPC, func(*system) {},
			"the limit of namespaces is reached (user.max_user_namespaces=96365, user.max_net_namespaces=96365, or that of a container around this one)",
			"sudo sysctl -w user.max_user_namespaces=100000 user.max_net_namespaces=100000",
		},
		{
			"kernel without user namespaces", unix.EINVAL, func(s *system) { s.userNS = false },
			"this kernel has no user namespaces (CONFIG_USER_NS)",
			"run it on a kernel built with CONFIG_USER_NS, or run lastport as root",
		},
		{
			"kernel without network namespaces", unix.EINVAL, func(s *system) { s.netNS = false },
			"this kernel has no network namespaces (CONFIG_NET_NS)", "run it on a kernel built with CONFIG_NET_NS",
		},
		{
			"unknown", unix.EPERM, func(*system) {},
			"a security module, a container or a chroot forbids new namespaces",
			"run it outside of the container or chroot, or run lastport as root",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open
			c.change(&s)
			blocker, hint := diagnose(c.errno, s)
			if blocker != c.blocker || hint != c.hint {
				t.Errorf("diagnose(%v, %+v) is\n%s\n%s, want\n%s\n%s", c.errno, s, blocker, hint, c.blocker, c.hint)
			}
		})
	}
}

func TestOtherErrorsAreNoRefusal(t *testing.T) {
	for _, err := range []error{nil, errors.New("no error number"), fmt.Errorf("start: %w", unix.ENOMEM), fmt.Errorf("start: %w", unix.ENOENT)} {
		if got := refused(err); faultOf(got) != faultOf(err) {
			t.Errorf("refused(%v) = %v", err, got)
		}
	}
}

func TestRefusedForWantOfDescriptors(t *testing.T) {
	refusal, ok := errors.AsType[*RefusedError](refused(fmt.Errorf("start: %w", unix.EMFILE)))
	if !ok || refusal.Hint() != "ulimit -n 1024" || refusal.Error() != "start: too many open files: the descriptor limit is too low (RLIMIT_NOFILE)" {
		t.Errorf("%v", refusal)
	}
}

func TestRefusedByTheKernel(t *testing.T) {
	requireNamespaces(t)
	for _, c := range []struct {
		name string
		job  job
		says string
	}{
		{"network namespaces", job{Write: map[string]string{keyMaxNet: "0"}}, "no space left on device: user.max_net_namespaces=0 forbids"},
		{"user namespaces", job{Write: map[string]string{keyMaxUser: "0"}, Drop: true}, "no space left on device: user.max_user_namespaces=0 forbids"},
		{"seccomp", job{Seccomp: true}, "operation not permitted: a seccomp filter"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := startOuter(t, c.job, asRootInside(unix.CLONE_NEWUSER)).reply(t)
			if !r.Refused || r.Usage || !strings.Contains(r.Err, c.says) || r.Hint == "" {
				t.Errorf("%+v, want a refusal that says %q", r.fault, c.says)
			}
		})
	}
}

// A root without CAP_NET_ADMIN, as in containers, gets it by a user namespace.
func TestRootWithoutNetAdmin(t *testing.T) {
	requireNamespaces(t)
	o := startOuter(t, job{Drop: true}, asRootInside(unix.CLONE_NEWUSER))
	r := o.reply(t)
	if r.Err != "" {
		t.Error(r.Err)
	}
	if userNS(t, o.cmd.Process.Pid) == userNS(t, r.Pid) {
		t.Error("the child is in its parent's user namespace")
	}
}

// Ubuntu's AppArmor lets a user namespace be made and denies its root every
// capability. A namespace without a mapping for its user is the same here.
func TestNamespaceWithoutPrivileges(t *testing.T) {
	requireNamespaces(t)
	child, err := start(childOptions(spec(t), nil), &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNET})
	if err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 4096)
	n, err := child.Frames.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	r := decodeReply(t, string(line[:n]))
	if want := "private place: bring link lo up: operation not permitted: the new namespace has no privileges: "; !r.Refused || !strings.HasPrefix(r.Err, want) {
		t.Errorf("%+v, want a refusal that says %q", r.fault, want)
	}
	child.Kill()
	_ = child.Wait() // it was killed
}
