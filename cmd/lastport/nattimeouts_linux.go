package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"lastport/loadgen"
	"lastport/loadgen/ports"
	"lastport/loadgen/suite"
)

// trackingPrefix begins the settings of connection tracking.
const trackingPrefix = "net.netfilter.nf_conntrack_"

// conntrackKeys are the settings of connection tracking that are timeouts, by the
// word of --nat-timeout.
func conntrackKeys() map[string]string {
	keys := map[string]string{"udp": "udp_timeout", "udp_stream": "udp_timeout_stream"}
	for _, state := range []string{
		"syn_sent", "syn_recv", "established", "fin_wait", "close_wait", "last_ack", "time_wait", "close",
	} {
		keys[state] = "tcp_timeout_" + state
	}
	return keys
}

// natStates lists the words of --nat-timeout.
func natStates() []string { return slices.Sorted(maps.Keys(conntrackKeys())) }

// natTimeouts reads --nat-timeout, for a run of that protocol.
func natTimeouts(words []string, udp bool) (map[string]time.Duration, error) {
	const form = "--nat-timeout time_wait=30s"
	timeouts := make(map[string]time.Duration)
	for _, word := range words {
		state, value, found := strings.Cut(word, "=")
		if !found {
			return nil, usagef(form, "--nat-timeout %q: not STATE=TIME", word)
		}
		state = strings.ReplaceAll(state, "-", "_")
		if conntrackKeys()[state] == "" {
			hint := form
			if near, ok := ports.Nearest(state, natStates()); ok {
				hint = fmt.Sprintf("--nat-timeout %s=%s", near, value)
			}
			return nil, usagef(hint, "--nat-timeout %q: not one of %s", state, strings.Join(natStates(), ", "))
		}
		t, err := time.ParseDuration(value)
		if err != nil || t < time.Second || t > suite.LongestTracked || t%time.Second != 0 {
			return nil, usagef(fmt.Sprintf("--nat-timeout %s=30s", state), "--nat-timeout %s: want whole seconds from 1s to %.0fh",
				word, suite.LongestTracked.Hours())
		}
		timeouts[state] = t
	}
	if len(words) > 0 && !suite.Tracks(slices.Sorted(maps.Keys(timeouts)), udp) {
		_, value, _ := strings.Cut(words[0], "=")
		if udp {
			return nil, usagef("--nat-timeout udp_stream="+value, "--nat-timeout %s with --proto udp: a state of TCP, which no datagram has", words[0])
		}
		return nil, usagef("--nat-timeout time_wait="+value, "--nat-timeout %s with --proto tcp: a state of datagrams", words[0])
	}
	return timeouts, nil
}

// notTheGateways refuses settings of connection tracking that would go to a client
// or to the listener's host, where nothing is tracked.
func notTheGateways(c *loadgen.Config) error {
	for _, given := range []struct {
		flag     string
		settings map[string]string
	}{{"--sysctl", c.Sysctls}, {"--peer-sysctl", c.PeerSysctls}} {
		for _, key := range slices.Sorted(maps.Keys(given.settings)) {
			short, ok := strings.CutPrefix(key, trackingPrefix)
			if !ok {
				continue
			}
			hint := "leave " + given.flag + " " + key + " out"
			for state, timeout := range conntrackKeys() {
				if timeout == short {
					hint = fmt.Sprintf("--nat-timeout %s=%ss", state, given.settings[key])
				}
			}
			return usagef(hint, "%s %s: connections are tracked on the gateway, and this sets another host", given.flag, key)
		}
	}
	return nil
}

// machines refuses what a run cannot set and nobody should for a run: the size of
// the table in which the whole machine tracks connections.
func machines(flag, key, value string) error {
	if key != trackingPrefix+"max" && key != trackingPrefix+"buckets" {
		return nil
	}
	return usagef("leave "+flag+" "+key+" out", "%s %s=%s: the table of tracked connections is the whole machine's: a run reads its size and never sets it",
		flag, key, value)
}
