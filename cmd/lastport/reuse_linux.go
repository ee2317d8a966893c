package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/step"
)

// allCloses as --close runs every close mode, side by side.
const allCloses = "all"

func (a *app) reuseVerb() *cobra.Command {
	var f reuseFlags
	c := &cobra.Command{
		Use:   "reuse",
		Short: "how long until a closed port can be used again",
		Long: "reuse opens connections, closes them, and asks again and again for each of\n" +
			"their ports, as an ordinary program would, until the port can connect to the\n" +
			"same target. It puts what it measured beside what the close mode and these\n" +
			"settings predict.\n\n" +
			"--close all runs every close mode side by side, each in a place of its own, so\n" +
			"that all of them take one TIME_WAIT.",
		Example: "  lastport reuse\n" +
			"  lastport reuse --close all\n" +
			"  lastport reuse --sysctl net.ipv4.tcp_tw_reuse=1 --sysctl net.ipv4.tcp_tw_reuse_delay=250\n" +
			"  lastport reuse --close server-fin --connections 1000 --expect 'reuse.max<5ms'",
		RunE: func(c *cobra.Command, _ []string) error {
			f.closeSet = c.Flags().Changed("close")
			return a.reuse(&f)
		},
	}
	fs := c.Flags()
	f.add(fs)
	f.addGateway(fs)
	f.addRepeat(fs)
	f.addShard(fs)
	fs.Int64Var(&f.connections, "connections", reuseConnections, "a `NUMBER` of ports to close and wait for")
	fs.Lookup("close").Usage += ", or all: side by side"
	fs.StringVar(&f.mode, "mode", "close", "what keeps the port taken, a `WORD` of "+strings.Join(loadgen.ReuseModes(), ", "))
	fs.DurationVar(&f.userTimeout, "user-timeout", 0, "TCP_USER_TIMEOUT of every connection, a `TIME` (default: not set)")
	for _, name := range []string{"hold", "workers"} {
		_ = fs.MarkHidden(name) // they mean nothing here; the flags exist, so this cannot fail
	}
	return c
}

// reuseFlags are the flags of reuse besides those of every run.
type reuseFlags struct {
	runFlags
	mode        string
	userTimeout time.Duration
	closeSet    bool
}

// reuseConnections is the default: enough for a distribution, and few enough to
// probe each port every millisecond.
const reuseConnections = 100

// reuse makes one reuse, or one for each close mode.
func (a *app) reuse(f *reuseFlags) error {
	if f.workers != 1 {
		return usagef("--workers 1", "--workers %d: a reuse is one worker's", f.workers)
	}
	if f.hold != 0 {
		return usagef("leave --hold out", "--hold %v: a reuse closes at once", f.hold)
	}
	if f.connections == 0 {
		f.connections = reuseConnections
	}
	if f.mode != loadgen.ModeClose.String() && f.closeSet {
		return usagef("leave --close out", "--close is for --mode close: in mode %s the generator closes by FIN, or nobody does", f.mode)
	}
	if f.closeSet && f.close != allCloses {
		if _, err := parseClose(f.close, allCloses); err != nil {
			return err
		}
	}
	if f.close != allCloses {
		return a.single("reuse", step.ClientFIN, &f.runFlags, f.reuseConfig)
	}
	host, err := place.ReadHost(sysctlKeys(f.sysctls)...)
	if err != nil {
		return err
	}
	runs, err := f.repeated(func() ([]namedRun, error) { return f.closeModes(host) })
	if err != nil {
		return err
	}
	if err := f.output.checkSet(); err != nil {
		return err
	}
	s, err := makeSetFolder(f.out, "reuse", f.axis("close", true), len(runs))
	if err != nil {
		return err
	}
	return a.concludeSet(s, a.sideBySide(s, runs, host, &f.runFlags), &f.output)
}

// closeModes makes a run for each close mode.
func (f *reuseFlags) closeModes(host place.Host) ([]namedRun, error) {
	var runs []namedRun
	for i, mode := range step.CloseModes() {
		one := *f
		one.close = mode
		cfg, err := one.config("reuse", step.ClientFIN, host)
		if err == nil {
			err = one.reuseConfig(&cfg)
		}
		if err == nil && cfg.Far {
			err = usagef("--close "+step.ClientFIN.String(), "--close all with --target %s: a server elsewhere closes in the way that it was started with", cfg.Targets[0])
		}
		asked := cfg
		if err == nil {
			err = one.reserve(&cfg, host)
		}
		if err == nil {
			err = loadgen.CheckEngine(&cfg)
		}
		if err != nil {
			return nil, err
		}
		runs = append(runs, namedRun{i, mode, cfg, asked, one.token})
	}
	return runs, nil
}

// reuseConfig adds what the flags of reuse say, and checks what only a reuse
// minds.
func (f *reuseFlags) reuseConfig(c *loadgen.Config) (err error) {
	if c.Mode, err = loadgen.ParseReuseMode(f.mode); err != nil {
		return err
	}
	if f.userTimeout < 0 || f.userTimeout > 0 && f.userTimeout < time.Millisecond {
		return usagef("--user-timeout 5s", "--user-timeout %v: want 1ms or more", f.userTimeout)
	}
	if f.userTimeout > 0 && (c.Mode == loadgen.ModeClose || c.Mode == loadgen.ModeFINWait2) {
		return usagef("--mode in-flight", "--user-timeout: in mode %s nothing waits for a peer's acknowledgement", c.Mode)
	}
	c.UserTimeout = f.userTimeout
	if c.Mode != loadgen.ModeClose {
		if err := silentPeer(c); err != nil {
			return err
		}
	}
	const most = 10_000 // beyond, probing takes a processor
	if c.NAT != nil {
		return f.throughGateway(c, most)
	}
	if c.Connections > most {
		return usagef(fmt.Sprintf("--connections %d", most), "--connections %d: at most %d ports can be probed often enough", c.Connections, most)
	}
	if c.Duration > 0 && c.Duration < time.Second {
		return usagef("--duration 70s", "--duration %v: too short to wait for a port", c.Duration)
	}
	return nil
}

// stuckTimeout is how long one step may take: in the modes that wait for the
// kernel to give up, longer than it ever does; in those that probe, what is
// enough to see that a port was had, as nobody may answer the probe.
func stuckTimeout(mode loadgen.ReuseMode) time.Duration {
	switch mode {
	case loadgen.ModeFINWait1, loadgen.ModeFINWait2:
		return 100 * time.Millisecond
	}
	return 24 * time.Hour
}

// silentPeer makes it a reuse in a mode in which the peer falls silent.
func silentPeer(c *loadgen.Config) error {
	switch {
	case c.Linger > 0:
		return usagef("leave --linger out", "--linger %v: in mode %s nobody closes late, because nobody closes", c.Linger, c.Mode)
	case c.NAT != nil:
		return usagef("--place pair", "--mode %s at --place nat: the silent peer is on the generator's thread, which knows it by its source port", c.Mode)
	case c.Ends == loadgen.EndsApart:
		return usagef("--ends together", "--ends apart: the silent peer of --mode %s is on the generator's thread", c.Mode)
	}
	c.Timeout = stuckTimeout(c.Mode)
	return nil
}

// throughGateway makes it a reuse of the gateway's ports: all of them are opened,
// so that a new connection needs one that was closed.
func (f *reuseFlags) throughGateway(c *loadgen.Config, most int64) error {
	room := c.NAT.Room(len(c.Targets))
	switch {
	case room > most:
		return usagef("--nat-range 2000-2099", "--nat-range %s: a reuse fills the gateway first, and %d connections are more than %d, the most that can be closed and waited for",
			c.NAT.Range, room, most)
	case f.given("connections") && c.Connections < room:
		return usagef("leave --connections out", "--connections %d: a reuse fills the gateway first, with %d connections", c.Connections, room)
	case !f.given("timeout"):
		c.Timeout = probeTimeout
	}
	c.Connections = room
	return nil
}

// probeTimeout is how long a reuse waits for a SYN that a gateway may have lost:
// longer than the way there and back takes, and shorter than the wait for its
// retransmit, so that each attempt is one SYN.
const probeTimeout = 200 * time.Millisecond
