package place

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
)

// Options say how the child is started.
type Options struct {
	Kind    Kind      // OnHost: it stays in the caller's namespaces
	Args    []string  // its arguments, without the program's name
	Env     []string  // its environment; nil is the parent's
	Request []byte    // what Join returns there; at most 16 MiB
	Table   int       // buckets of a table of connections of its own (TableFor); 0: it shares the host's
	Stderr  io.Writer // takes its standard output and error; nil discards them
}

// maxRequest bounds what Join believes when it reads a request's length.
const maxRequest = 16 << 20

// Child is lastport, running once more in namespaces of its own.
type Child struct {
	// Frames is what the child writes. It ends when the child does; read it to
	// the end before Wait.
	Frames io.Reader

	cmd    *exec.Cmd
	frames *os.File
	words  *os.File
	ended  chan struct{}
	err    error // valid once ended is closed
}

// Start runs this same program again in a new network namespace. Where the
// caller is not root, or a root without the capabilities for that, it is in a
// new user namespace too, in which the caller is root and whose root may do
// nothing outside. The child ends when the parent does, whatever the cause.
//
// The error is a *RefusedError where the system does not allow namespaces. A child
// OnHost needs none, and is started all the same: it is killed with its parent, and
// a run is one process whose memory and descriptors are its own.
func Start(opts Options) (*Child, error) {
	if len(opts.Request) > maxRequest {
		return nil, fmt.Errorf("the run's place: request of %d bytes: more than %d", len(opts.Request), maxRequest)
	}
	if opts.Kind == OnHost {
		return start(opts, &syscall.SysProcAttr{})
	}
	capable, err := rootIsEnough()
	if err != nil {
		return nil, fmt.Errorf("the run's place: %w", err)
	}
	if capable {
		child, err := start(opts, &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET})
		if !errors.Is(err, unix.EPERM) {
			return child, refused(err)
		}
		// A security module or a filter may still allow it to a user namespace.
	}
	child, err := start(opts, asRootInside(unix.CLONE_NEWUSER|unix.CLONE_NEWNET))
	return child, refused(err)
}

// asRootInside makes the caller, and nobody else, root of a new user namespace.
func asRootInside(flags uintptr) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  flags,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
}

// rootIsEnough says whether a network namespace can be had without a user
// namespace. It takes real root and not the capabilities alone: where executing
// the program's file is what grants them, the kernel clears the parent-death
// signal at the child's exec (begin_new_exec, fs/exec.c).
func rootIsEnough() (bool, error) {
	if os.Getuid() != 0 || os.Geteuid() != 0 {
		return false, nil
	}
	privileges, err := kernel.ReadPrivileges()
	return privileges.Has(unix.CAP_SYS_ADMIN) && privileges.Has(unix.CAP_NET_ADMIN), err
}

// start runs the program with the attributes and gives it its request.
func start(opts Options, attr *syscall.SysProcAttr) (*Child, error) {
	// In a process group of its own the child does not get what a terminal, or
	// timeout(1), sends to the whole group: one Ctrl-C is one, and it is the
	// parent's. It holds from before the child's first instruction.
	attr.Setpgid = true
	attr.Pdeathsig = syscall.SIGKILL

	child := &Child{ended: make(chan struct{})}
	child.cmd = exec.Command("/proc/self/exe", opts.Args...)
	child.cmd.Args[0] = os.Args[0]
	child.cmd.Env = opts.Env
	if opts.Table > 0 {
		host, err := kernel.NetNS()
		if err != nil {
			return nil, fmt.Errorf("the run's place: %w", err)
		}
		child.cmd.Env = append(child.cmd.Environ(), fmt.Sprintf("%s=%d %s", tableVar, opts.Table, host))
	}
	child.cmd.SysProcAttr = attr
	child.cmd.Stdout, child.cmd.Stderr = opts.Stderr, opts.Stderr
	theirs, err := child.pipes()
	if err != nil {
		return nil, fmt.Errorf("the run's place: %w", err)
	}
	started := make(chan error)
	go child.run(started)
	err = <-started
	closeAll(theirs...)
	if err != nil {
		closeAll(child.frames, child.words)
		return nil, fmt.Errorf("the run's place: start in new namespaces: %w", err)
	}
	// A child that ends before it has read all of this is reported by Wait.
	header := binary.LittleEndian.AppendUint64(nil, uint64(len(opts.Request)))
	if _, err := child.words.Write(append(header, opts.Request...)); err != nil && !errors.Is(err, unix.EPIPE) {
		child.Kill()
		return nil, errors.Join(fmt.Errorf("the run's place: send the request: %w", err), child.Wait())
	}
	return child, nil
}

// pipes opens both pipes and returns the child's ends, which the parent closes
// once the child has them: only so does either side see the other's end.
func (c *Child) pipes() (theirs []*os.File, err error) {
	stdin, words, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	frames, out, err := os.Pipe()
	if err != nil {
		closeAll(stdin, words)
		return nil, err
	}
	c.frames, c.Frames, c.words = frames, frames, words
	c.cmd.Stdin = stdin
	c.cmd.ExtraFiles = []*os.File{out} // framesFD there
	return []*os.File{stdin, out}, nil
}

// run starts the child and waits for it, both on one thread: the kernel sends
// the parent-death signal when the thread that made the child ends
// (PR_SET_PDEATHSIG(2const)), and an idle thread of Go may end at any time.
func (c *Child) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := c.cmd.Start()
	started <- err
	if err == nil {
		c.err = c.cmd.Wait()
		close(c.ended)
	}
}

// Pid is the child's process id.
func (c *Child) Pid() int { return c.cmd.Process.Pid }

// Tell sends the child a word, a line of its own: what its Word returns.
func (c *Child) Tell(word string) error {
	if _, err := c.words.WriteString(word + "\n"); err != nil {
		return fmt.Errorf("the run's place: tell the child to %s: %w", word, err)
	}
	return nil
}

// Kill ends the child at once. It does nothing to a child that has ended.
func (c *Child) Kill() { _ = c.cmd.Process.Kill() }

// Wait waits for the child's end and frees what the parent holds of it. The
// error wraps an *exec.ExitError if the child failed or was killed.
func (c *Child) Wait() error {
	<-c.ended
	closeAll(c.frames, c.words)
	if c.err != nil {
		return fmt.Errorf("the run's place: child %d: %w", c.Pid(), c.err)
	}
	return nil
}

// closeAll closes pipe ends, which have nothing to flush.
func closeAll(files ...*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}
