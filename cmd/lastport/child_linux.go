package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"lastport/loadgen"
	"lastport/loadgen/engine"
	"lastport/loadgen/place"
	"lastport/reports/result"
	"lastport/server"
)

// request is what the parent sends to the child: the run, and the place it is
// to happen in.
type request struct {
	Config loadgen.Config
	Spec   place.Spec
	Token  string // of a run that is Far: it goes over a pipe and is kept nowhere
}

// Words of the parent to the child.
const wordDrain = "drain"

// childVerb is the name of the verb that the parent starts the child with.
const childVerb = "run-in-place"

// childCommand is the child's side of every run: lastport again, in the place.
func (a *app) childCommand() *cobra.Command {
	return &cobra.Command{
		Use:    childVerb,
		Short:  "make a run in the place that the parent made",
		Hidden: true,
		RunE: func(*cobra.Command, []string) error {
			parent, err := place.Join()
			if err != nil {
				return err
			}
			frames := loadgen.NewFrameWriter(parent.Frames)
			if err := inPlace(parent, frames); err != nil {
				return frames.Frame(loadgen.Frame{Error: loadgen.NewFrameError(err)})
			}
			return nil
		},
	}
}

// mindCommand is the minder of a command at the edge: lastport again, beside it.
func mindCommand() *cobra.Command {
	return &cobra.Command{
		Use:    loadgen.MinderVerb,
		Short:  "end a command at the edge when the run is gone",
		Hidden: true,
		RunE:   func(*cobra.Command, []string) error { return loadgen.Mind(os.Stdin) },
	}
}

// inPlace sets the place up and makes the run in it.
func inPlace(parent *place.Parent, frames loadgen.Sink) error {
	var req request
	if err := json.Unmarshal(parent.Request, &req); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	// What a run allocates it allocates once a second, for the result that it writes:
	// collecting that less often leaves the processors to the run.
	debug.SetGCPercent(400)
	cfg := &req.Config
	hosts, reports, err := place.Build(req.Spec)
	if err != nil {
		return err
	}
	if err := hosts.Block(place.Firewall{Target: cfg.Targets[0], Out: cfg.Block, Back: cfg.BlockIn}); err != nil {
		return err
	}
	describe(cfg, reports)
	cfg.Hosts = hostsOf(hosts, req.Spec.Kind)
	if err := cfg.Settle(); err != nil {
		return err
	}
	stranger, err := holdPorts(cfg)
	if err != nil {
		return err
	}
	defer stranger.leave()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go drainWhenTold(parent, cancel)
	return req.run(ctx, cancel, frames)
}

// run makes the run: against servers elsewhere once they have consented, and by that
// alone; else against a listener of its own.
func (r *request) run(ctx context.Context, cancel func(), frames loadgen.Sink) error {
	if r.Config.Far {
		return runFar(ctx, cancel, &r.Config, r.Token, frames)
	}
	return runNear(ctx, &r.Config, frames)
}

// runNear makes a run against its own listener.
func runNear(ctx context.Context, cfg *loadgen.Config, frames loadgen.Sink) error {
	if onHost(cfg) {
		for _, target := range cfg.Targets {
			if err := arrives(ctx, cfg, target); err != nil {
				return err
			}
		}
	}
	listener, err := listen(cfg)
	if err != nil {
		return err
	}
	_, err = loadgen.Run(ctx, *cfg, peer{listener}, frames)
	if closeErr := listener.Close(); err == nil {
		err = closeErr
	}
	return err
}

// hostsOf are the hosts of a place as a run reaches them.
func hostsOf(hosts *place.Hosts, kind place.Kind) loadgen.Hosts {
	h := loadgen.Hosts{
		Client: func(i int, f func() error) error { return hosts.Client(i).Do(f) },
		Enter:  func(client int) error { return hosts.Client(client).Enter() },
	}
	if kind == place.Pair || kind == place.NAT {
		h.Server = hosts.InServer
	}
	if kind == place.NAT {
		h.Gateway = hosts.InGateway
	}
	return h
}

// drainWhenTold hears the parent's words until one of both ends.
func drainWhenTold(parent *place.Parent, drain func()) {
	for {
		word, err := parent.Word()
		if err != nil {
			drain() // the parent has ended, and so the kernel ends this process; where it does not, the run ends
			return
		}
		if word == wordDrain {
			drain()
		}
	}
}

// describe writes what the hosts are like into the result.
func describe(cfg *loadgen.Config, r place.Reports) {
	cfg.Host.Sysctls = settingValues(r.Client.Sysctls)
	cfg.Host.Changed = changes(r.Client.Changed)
	cfg.Host.Differs = changes(r.Client.Differs)
	if s := r.Server; s != nil {
		cfg.Host.Peer = &result.PeerHost{Sysctls: settingValues(s.Sysctls), Changed: changes(s.Changed), Differs: changes(s.Differs)}
	}
	cfg.Host.Gateway = settingValues(r.Gateway)
}

func settingValues(from map[string]string) map[string]string {
	if from == nil {
		return nil
	}
	to := make(map[string]string, len(from))
	for key, value := range from {
		to[key] = spaces(value)
	}
	return to
}

func changes(from map[string]place.Change) map[string]result.Change {
	to := make(map[string]result.Change, len(from))
	for key, c := range from {
		to[key] = result.Change{Host: spaces(c.Host), Run: spaces(c.Run), Why: c.Why}
	}
	return to
}

// spaces turns the kernel's tabs into spaces: "32768 60999".
func spaces(value string) string { return strings.Join(strings.Fields(value), " ") }

// listen starts the bundled listener for the run.
func listen(cfg *loadgen.Config) (*server.Listener, error) {
	cpus, err := cfg.CPUs()
	if err != nil {
		return nil, err
	}
	l, err := server.New(server.Config{
		Addrs:       cfg.Targets,
		UDP:         cfg.UDP,
		CPUs:        cpus,
		Deaf:        cfg.Mode == loadgen.ModeSYN,
		Vanish:      cfg.Mode == loadgen.ModeInFlight || cfg.Mode == loadgen.ModeKeepalive || cfg.Mode == loadgen.ModeFINWait1,
		Together:    cfg.Ends == loadgen.EndsTogether,
		Ring:        cfg.RingListener(),
		ServerFirst: cfg.Close.ServerFirst(),
		Keep:        true,
		RST:         cfg.Close.RST(),
		Linger:      cfg.Linger,
		Connections: mostConnections(cfg),
		Within:      cfg.Hosts.Server,
	})
	if err != nil {
		return nil, err
	}
	if err := l.Start(); err != nil {
		_ = l.Close() // the first error is the one to tell
		return nil, err
	}
	return l, nil
}

// mostConnections is how many connections can come to the listener at once.
func mostConnections(c *loadgen.Config) int {
	tuples := c.Ports().Size() * max(1, len(c.Sources)) * len(c.Targets)
	if c.Scenario == "fill" && c.Connections > 0 {
		return int(min(int64(tuples), c.Connections))
	}
	return tuples
}

// peer is the bundled listener as loadgen wants to see it.
type peer struct{ *server.Listener }

func (p peer) End(worker, target int) engine.End { return p.NewSharedEnd(target, worker) }
