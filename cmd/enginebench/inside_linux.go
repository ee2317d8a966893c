package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"

	"lastport/loadgen/kernel"
)

// insideArg is the first argument of this program when it has started itself in
// a namespace, to make it ready and to become the command that follows.
const insideArg = "inside"

// patience is how long one command may take: a million connections take the
// better part of a minute.
const patience = 5 * time.Minute

// insideCommand returns LOW, HIGH and the command of "inside LOW HIGH COMMAND…".
func insideCommand(args []string) ([]string, bool) {
	if len(args) < 4 || args[0] != insideArg {
		return nil, false
	}
	return args[1:], true
}

// inside makes the new namespace ready for a loop, with the ports LOW to HIGH,
// and becomes the command. It returns only an error.
func inside(args []string) error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find link lo: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("bring lo up: %w", err)
	}
	for _, s := range [][2]string{
		{"net.core.somaxconn", "65535"},
		{"net.ipv4.tcp_max_syn_backlog", "65535"},
		{"net.ipv4.ip_local_port_range", args[0] + " " + args[1]},
		{"net.ipv4.tcp_tw_reuse", "1"}, // for peers, which close by FIN
	} {
		if err := kernel.WriteSysctl(s[0], s[1]); err != nil {
			return fmt.Errorf("set %s=%s: %w", s[0], s[1], err)
		}
	}
	return fmt.Errorf("start %s: %w", args[2], syscall.Exec(args[2], args[2:], os.Environ()))
}

// inNamespace runs a command in network and process namespaces of its own, where
// LOW to HIGH are the local ports, and returns what it printed. All that it
// started ends with it.
func inNamespace(ctx context.Context, low, high string, command ...string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		return "", fmt.Errorf("%s is not there", command[0])
	}
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID}
	if os.Geteuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	return output(ctx, attr, self, append([]string{insideArg, low, high, path}, command[1:]...)...)
}

// output runs a command and returns its standard output. The error has the last
// thing that it said.
func output(ctx context.Context, attr *syscall.SysProcAttr, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var stdout, stderr bytes.Buffer
	attr.Pdeathsig = syscall.SIGKILL
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = &stdout, &stderr, attr
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "", fmt.Errorf("not done after %v", patience)
	case err != nil && stderr.Len() > 0:
		return "", errors.New(lastError(stderr.String()))
	case err != nil:
		return "", err
	}
	return stdout.String(), nil
}

// lastError is the last line that is no hint, without the name of the program.
func lastError(text string) string {
	last := ""
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "hint:") {
			last = line
		}
	}
	return strings.TrimPrefix(strings.TrimPrefix(last, "lastport: "), "enginebench: ")
}
