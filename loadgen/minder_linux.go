package loadgen

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// MinderVerb is the argument that makes a program which runs commands at the edge call
// Mind: that program, once more, is the minder of a command.
const MinderVerb = "mind-command"

// minder leads the process group of a command, and ends all that is in it when the run
// is gone. The parent-death signal of a command reaches the command alone, and not what
// that has started; and as long as the minder lives the group's number is nobody else's.
type minder struct {
	cmd  *exec.Cmd
	word io.Closer // the run's end of a pipe: the kernel closes it with the run
}

func startMinder() (*minder, error) {
	cmd := exec.Command("/proc/self/exe", MinderVerb)
	cmd.Args[0] = os.Args[0]
	cmd.Env = []string{} // it needs nothing
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	word, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("the command's minder: %w", err)
	}
	return &minder{cmd, word}, nil
}

// group is the process group, which is the minder's own.
func (m *minder) group() int { return m.cmd.Process.Pid }

// end ends the minder and all that is left in the group.
func (m *minder) end() {
	_ = unix.Kill(-m.group(), unix.SIGKILL)
	_ = m.word.Close()
	_ = m.cmd.Wait() // killed
}

// Mind waits for the end of the run, which is that of word, and then kills the process
// group that this process leads, itself included. In a group that it does not lead it
// does nothing.
func Mind(word io.Reader) error {
	signal.Ignore() // all that can be: what the group is told is meant for the command
	if unix.Getpgrp() != os.Getpid() {
		return fmt.Errorf("%s is for lastport's own use", MinderVerb)
	}
	_, _ = io.Copy(io.Discard, word)
	return unix.Kill(0, unix.SIGKILL)
}
