package doctor

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"lastport/reports/result"
)

// filteredArg makes the test program write a checkup as a container's filter
// of system calls lets it see the host.
const filteredArg = "doctor-test-filtered"

func filtered() error {
	runtime.LockOSThread()
	if err := forbid(unix.SYS_CLONE, unix.SYS_IO_URING_SETUP); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(Examine(Collect(childArg)))
}

// forbid makes clone with a flag for a new namespace EPERM, and the other calls
// in any case, as Docker's default profile does. A new thread is neither.
func forbid(clone uint32, others ...uint32) error {
	const cloneNamespaces = 0x7e020000
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // seccomp_data.nr
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: clone, Jf: 3},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 16}, // the low half of args[0]
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: cloneNamespaces, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // again: the argument took its place
	}
	for _, call := range others {
		filter = append(filter,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jf: 1},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)})
	}
	filter = append(filter, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return nil
}

func TestUnderAFilter(t *testing.T) {
	cmd := exec.Command("/proc/self/exe", filteredArg)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var c result.Checkup
	if err := json.Unmarshal(out, &c); err != nil {
		t.Fatal(err)
	}
	for _, check := range c.Checks {
		switch check.Name {
		case "private place":
			if check.Status != result.Blocked || !strings.Contains(check.Found, "seccomp") || !strings.Contains(check.WayOut, "--privileged") {
				t.Errorf("%+v", check)
			}
		case "io_uring":
			if check.Status != result.Noted || !strings.Contains(check.Found, "not permitted") {
				t.Errorf("%+v", check)
			}
		case "IP_LOCAL_PORT_RANGE", "sock_diag":
			if check.Status == result.Unread {
				t.Errorf("%+v", check)
			}
		}
	}
	if c.Verdict.OK {
		t.Errorf("verdict %+v", c.Verdict)
	}
}
