package place

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
)

// The test binary runs itself again in these roles.
const (
	roleVar   = "LASTPORT_PLACE_TEST_ROLE"
	roleChild = "child" // what Start starts
	roleOuter = "outer" // a process that calls Start, under other conditions than the test's
	roleAdder = "adder" // a process in a namespace of its own that adds addresses
)

func TestMain(m *testing.M) {
	var err error
	switch role := os.Getenv(roleVar); role {
	case "":
		os.Exit(m.Run())
	case roleChild:
		err = playChild()
	case roleOuter:
		err = playOuter(os.Stdin, os.Stdout)
	case roleAdder:
		err = playAdder()
	default:
		err = fmt.Errorf("role %q: unknown", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// reply is what the child found, or why it could not.
type reply struct {
	Report Report
	Pid    int
	NetNS  string
	Bound  []string // addresses of the request that could be bound at once
	Lost   []string // those to which a datagram was lost
	Kept   bool     // the frames' pipe would go on to programs that the child starts
	Tour            // of a place of several hosts
	fault
}

// fault is an error as it crosses a pipe.
type fault struct {
	Err     string
	Hint    string
	Usage   bool
	Refused bool
}

func faultOf(err error) fault {
	if err == nil {
		return fault{}
	}
	f := fault{Err: err.Error()}
	var hinter interface{ Hint() string }
	if errors.As(err, &hinter) {
		f.Hint = hinter.Hint()
	}
	var usage interface{ Usage() bool }
	f.Usage = errors.As(err, &usage) && usage.Usage()
	var refused *RefusedError
	f.Refused = errors.As(err, &refused)
	return f
}

// playChild sets the namespace up, tells what came of it and stays until it is
// told to drain or its parent ends.
func playChild() error {
	parent, err := Join()
	if err != nil {
		return err
	}
	var spec errand
	if err := json.Unmarshal(parent.Request, &spec); err != nil {
		return err
	}
	answer := reply{Pid: os.Getpid()}
	if spec.Kind == Private {
		answer.Report, err = Setup(spec.Spec)
	} else {
		answer.Tour, err = spec.tour()
	}
	answer.fault = faultOf(err)
	answer.NetNS, _ = kernel.NetNS()
	for _, prefix := range slices.Backward(spec.Addresses) { // the last one made is asked first
		if err := greet(prefix.Addr()); err != nil {
			answer.Lost = append(answer.Lost, err.Error())
		}
	}
	for _, prefix := range spec.Addresses {
		if l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(prefix.Addr(), 0))); err == nil {
			answer.Bound = append(answer.Bound, prefix.Addr().String())
			_ = l.Close()
		}
	}
	flags, err := unix.FcntlInt(parent.Frames.Fd(), unix.F_GETFD, 0)
	if err != nil {
		return err
	}
	answer.Kept = flags&unix.FD_CLOEXEC == 0
	fmt.Println("this goes to standard error")
	if err := json.NewEncoder(parent.Frames).Encode(answer); err != nil {
		return err
	}
	word, err := parent.Word()
	if errors.Is(err, io.EOF) {
		time.Sleep(time.Minute) // as a child that does not hear its parent's end
	}
	_, err = fmt.Fprintln(parent.Frames, word, "heard", err)
	return err
}

// job says what the outer process does before it calls Start.
type job struct {
	Write   map[string]string // sysctls
	Drop    bool              // give CAP_NET_ADMIN up
	Seccomp bool              // forbid new namespaces as a container does
	Table   int               // buckets
	Spec    errand
}

// playOuter starts a child, hands its reply on, and stays until SIGINT, which
// it passes on as a word.
func playOuter(in io.Reader, out io.Writer) error {
	runtime.LockOSThread()
	var j job
	if err := json.NewDecoder(in).Decode(&j); err != nil {
		return err
	}
	for key, value := range j.Write {
		if err := kernel.WriteSysctl(key, value); err != nil {
			return err
		}
	}
	if j.Drop {
		if err := drop(unix.CAP_NET_ADMIN); err != nil {
			return err
		}
	}
	if j.Seccomp {
		if err := forbidNamespaces(); err != nil {
			return err
		}
	}
	interrupt := make(chan os.Signal, 1)
	signal.Notify(interrupt, unix.SIGINT)
	host, err := ReadHost()
	if err != nil {
		return err
	}
	j.Spec.Host.NetNS = host.NetNS
	j.Spec.Host.Table = host.Table
	opts := childOptions(j.Spec, os.Stderr)
	opts.Table = j.Table
	child, err := Start(opts)
	if err != nil {
		return json.NewEncoder(out).Encode(reply{fault: faultOf(err)})
	}
	frames := bufio.NewReader(child.Frames)
	line, err := frames.ReadString('\n')
	if err != nil {
		return err
	}
	if _, err := io.WriteString(out, line); err != nil {
		return err
	}
	<-interrupt
	if err := child.Tell("drain"); err != nil {
		return err
	}
	last, err := io.ReadAll(frames)
	_, werr := out.Write(last)
	return errors.Join(err, werr, child.Wait())
}

// roleEnv is the environment for a role. The race detector would wait a second
// at its end.
func roleEnv(role string) []string {
	return append(os.Environ(), roleVar+"="+role, "GORACE=atexit_sleep_ms=0")
}

func childOptions(spec any, stderr io.Writer) Options {
	request, err := json.Marshal(spec)
	if err != nil {
		panic(err)
	}
	return Options{Env: roleEnv(roleChild), Request: request, Stderr: stderr}
}

// drop takes a capability from the calling thread.
func drop(capability int) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return err
	}
	data[0].Effective &^= 1 << capability
	return unix.Capset(&header, &data[0])
}

// forbidNamespaces installs the rule of Docker's default profile: clone(2) with
// a flag for any new namespace is EPERM.
func forbidNamespaces() error {
	const cloneNamespaces = 0x7e020000
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // seccomp_data.nr
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_CLONE, Jf: 3},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 16}, // the low half of args[0]
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: cloneNamespaces, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
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

// outer is a running process in that role.
type outer struct {
	cmd    *exec.Cmd
	out    *bufio.Reader
	errors *bytes.Buffer
}

// startOuter runs the test binary in that role with the attributes.
func startOuter(t *testing.T, j job, attr *syscall.SysProcAttr) *outer {
	t.Helper()
	input, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	o := &outer{cmd: exec.Command("/proc/self/exe"), errors: new(bytes.Buffer)}
	o.cmd.Env = roleEnv(roleOuter)
	o.cmd.Stdin = bytes.NewReader(input)
	o.cmd.Stderr = o.errors
	o.cmd.SysProcAttr = attr
	o.cmd.WaitDelay = time.Second // for a child that is left and holds standard error
	stdout, err := o.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := o.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	o.out = bufio.NewReader(stdout)
	t.Cleanup(func() {
		_ = o.cmd.Process.Kill()
		_ = o.cmd.Wait()
	})
	return o
}

func (o *outer) reply(t *testing.T) reply {
	t.Helper()
	line, err := o.out.ReadString('\n')
	if err != nil {
		_ = o.cmd.Wait() // so that all of its standard error is here
		t.Fatalf("no reply: %v; it says: %s", err, o.errors)
	}
	return decodeReply(t, line)
}

func decodeReply(t testing.TB, line string) reply {
	t.Helper()
	var r reply
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		t.Fatalf("reply %q: %v", line, err)
	}
	return r
}

// greet sends one datagram to an address of this host.
func greet(addr netip.Addr) error {
	l, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 0)))
	if err != nil {
		return err
	}
	defer l.Close() //nolint:errcheck // nothing is written to it
	if _, err := l.WriteTo([]byte{1}, l.LocalAddr()); err != nil {
		return err
	}
	_ = l.SetReadDeadline(time.Now().Add(time.Second)) // a lost datagram never comes
	_, _, err = l.ReadFrom(make([]byte, 1))
	return err
}
