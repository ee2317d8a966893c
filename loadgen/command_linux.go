package loadgen

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lastport/reports/figures"
	"lastport/reports/result"
)

// TargetEnv is the variable that tells a command at the edge where the listener is,
// as ADDRESS:PORT.
const TargetEnv = "LASTPORT_TARGET"

// secretEnv is the variable with a token, which is none of the command's business.
const secretEnv = "LASTPORT_TOKEN"

// grace is how long a command may go on after SIGTERM.
const grace = 3 * time.Second

// program is a command while it runs.
type program struct {
	cmd    *exec.Cmd
	minder *minder
	ended  chan struct{} // closed at its end, when its exit status is known
}

// startProgram starts the command in a process group of its own, with a minder. What it
// writes goes to standard error; there is nothing for it to read.
func startProgram(command []string, target netip.AddrPort) (*program, error) {
	m, err := startMinder()
	if err != nil {
		return nil, err
	}
	p := &program{cmd: exec.Command(command[0], command[1:]...), minder: m, ended: make(chan struct{})}
	p.cmd.Env = commandEnv(os.Environ(), target)
	p.cmd.Stdout, p.cmd.Stderr = os.Stderr, os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: m.group(), Pdeathsig: syscall.SIGKILL}
	// A run ignores the signals that its parent hears, and what a process ignores its
	// children ignore (execve(2)). What it catches they have by default.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		m.end()
		return nil, err
	}
	return p, nil
}

// commandEnv is the environment of a command.
func commandEnv(own []string, target netip.AddrPort) []string {
	env := slices.DeleteFunc(slices.Clone(own), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return name == secretEnv || name == TargetEnv
	})
	return append(env, TargetEnv+"="+target.String())
}

// run starts the command and waits for it, on one thread: when that ends the kernel
// takes it for the parent's death.
func (p *program) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	_ = p.cmd.Wait() // its status is in ProcessState
	p.minder.end()   // and what it has left behind in its group
	close(p.ended)
}

// tell sends a signal to the whole process group.
func (p *program) tell(sig unix.Signal) { _ = unix.Kill(-p.minder.group(), sig) }

// follow calls look again and again until the command has ended. When over says why it
// is to end the command is told to, and after the grace it is killed. look says when it
// wants to be called again.
func (p *program) follow(over func() (told string), look func() (again time.Duration)) (ended, told string) {
	ended = result.EndedItself
	var killAt time.Time
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-p.ended:
			return ended, told
		case <-timer.C:
			timer.Reset(look())
		}
		if told == "" {
			told = over()
		}
		switch {
		case told != "" && ended == result.EndedItself:
			ended, killAt = result.EndedTerminated, time.Now().Add(grace)
			p.tell(unix.SIGTERM)
		case ended == result.EndedTerminated && time.Now().After(killAt):
			ended = result.EndedKilled
			p.tell(unix.SIGKILL)
		}
	}
}

// status writes down how the command ended.
func (p *program) status(c *result.Command) {
	state, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case !ok:
	case state.Signaled():
		c.Signal = state.Signal().String()
	default:
		status := int64(state.ExitStatus())
		c.ExitStatus = &status
	}
}

// edgeVerdict is the verdict of a fill, with that of its command.
func (r *run) edgeVerdict(res *result.Result) result.Verdict {
	v := r.fillVerdict(res)
	c := res.Command
	if c == nil {
		return v
	}
	switch {
	case c.Error != "":
		return bad("the command could not be started: %s", c.Error)
	case c.PortsLeft != r.cfg.Leave:
		why := ""
		if r.cfg.OnHost != nil {
			why = ": others on this host came or went"
		}
		return bad("%s left toward the target when the command was started, and not %s%s", figures.Counted(c.PortsLeft, "port"), figures.Grouped(r.cfg.Leave), why)
	case c.Ended == result.EndedKilled:
		v.Text += "; the command was killed, as it went on after SIGTERM at " + toldWords(c.Told)
	case c.Ended == result.EndedTerminated:
		v.Text += "; the command was told to end at " + toldWords(c.Told)
	case c.ExitStatus != nil:
		v.Text += fmt.Sprintf("; at %s left the command ended with exit status %d", figures.Counted(c.PortsLeft, "port"), *c.ExitStatus)
	default:
		v.Text += "; the command was ended by a signal: " + c.Signal
	}
	return v
}

// toldWords say when a command was told to end.
func toldWords(told string) string {
	switch told {
	case result.ToldDuration:
		return "the end of --duration"
	case result.ToldInterrupt:
		return "the interrupt"
	}
	return "the end of the hold"
}
