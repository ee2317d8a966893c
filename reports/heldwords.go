package reports

import (
	"strings"

	"lastport/reports/result"
)

// held says what keeps a source port after its connection, and what would
// shorten it.
type held struct {
	means   string
	todo    string
	sysctls []string // the settings that decide
}

// timeWaitNS is TCP_TIMEWAIT_LEN of include/net/tcp.h.
const timeWaitNS = 60_000_000_000

// heldBy chooses the words for a run: by its mode, and where it has none by who
// closes, and how.
func heldBy(r *result.Result) held {
	if mode := modeOf(r.Config); mode != "" {
		return heldByMode(mode)
	}
	switch {
	case byGateway(r):
		return heldByGateway(r)
	case r.Config.Proto == "udp":
		return held{means: "nothing: UDP has no TIME_WAIT, and a port is free when its socket is closed"}
	}
	switch r.Config.Close {
	case "client-fin":
		return heldByTimeWait(r)
	case "server-fin":
		if r.NAT != nil {
			return held{
				means: "the listener closes first, and TIME_WAIT is at its end: the generator's port is free at once, but the gateway may " +
					"translate to a port that the listener has in TIME_WAIT, and it refuses the SYN if the new connection's timestamps are older",
				todo: "let the generator close first, with as many source ports as that takes",
			}
		}
		return held{means: "nothing: the listener closes first, so TIME_WAIT is at its end, and the generator may use the " +
			"same port toward the same target at once"}
	case "client-rst", "server-rst":
		return held{
			means: "nothing: RST ends a connection at both ends at once, and leaves no TIME_WAIT",
			todo:  "in production RST throws away what was sent and not yet read: close by it only what may be lost",
		}
	}
	return held{}
}

// byGateway says whether the gateway's ports are what runs out first.
func byGateway(r *result.Result) bool {
	if r.NAT == nil {
		return false
	}
	room := int64(r.NAT.Ports) * int64(len(r.NAT.Addresses)) * int64(max(1, r.Space.Targets))
	return room <= r.Space.Tuples
}

// heldByGateway is connection tracking: nf_conntrack_proto_tcp.c and nf_nat_core.c
// of net/netfilter.
func heldByGateway(r *result.Result) held {
	state := "time_wait"
	switch {
	case r.Config.Proto == "udp":
		return held{
			means: "the gateway: connection tracking has the tuple of a datagram until " + setting(r.NAT.TimeoutNS) + " after the last one, whether the socket is closed or not",
			todo:  natHint("udp_stream", "udp_timeout_stream"),
		}
	case r.Config.Close == "client-rst", r.Config.Close == "server-rst":
		state = "close"
	}
	return held{
		means: "the gateway: its connection tracking has the port of a closed connection for " + setting(r.NAT.TimeoutNS) + ", whoever closed it. Before that a full " +
			"gateway gives the port to a new SYN whose sequence number is ahead of the old one's, which is chance",
		todo: natHint(state, "tcp_timeout_"+state),
	}
}

// natHint says what makes a gateway's ports go further: the flag has its own word
// for the setting.
func natHint(word, key string) string {
	return "on the gateway: more ports or outside addresses, or a lower net.netfilter.nf_conntrack_" + key +
		" (here --nat-range, --nat-addresses, --nat-timeout " + word + "=1s)"
}

// heldByTimeWait is what an ordinary client meets.
func heldByTimeWait(r *result.Result) held {
	h := held{sysctls: []string{"net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_tw_reuse_delay", "net.ipv4.tcp_timestamps"}}
	if recycles(r) {
		h.means = "TIME_WAIT, cut short: the generator closes first by FIN, and tcp_tw_reuse lets a new connection to the " +
			"same target take the port after tcp_tw_reuse_delay, as timestamps tell the old segments from the new"
		h.todo = "sooner still: net.ipv4.tcp_tw_reuse_delay (milliseconds, Linux 6.14), or let the peer close first"
		return h
	}
	h.means = "TIME_WAIT: the generator closes first by FIN, and its port cannot connect to the same target for a minute " +
		"and the grain of the timer. No setting changes the minute: tcp_fin_timeout is the time of FIN_WAIT_2"
	h.todo = "net.ipv4.tcp_tw_reuse=1 gives ports back after 1 s; better still, keep connections and use them again, " +
		"or let the peer close first"
	return h
}

// recycles says whether ports are predicted back before TIME_WAIT ends.
func recycles(r *result.Result) bool {
	reuse := r.Predicted.ReuseNS
	return reuse != nil && reuse.Max > 0 && reuse.Max < timeWaitNS
}

// modeOf is what keeps the port, "" if it is the close.
func modeOf(c result.Config) string {
	if c.Mode == "close" {
		return ""
	}
	return c.Mode
}

// heldByMode are the ways to keep a port that are not a close: tcp(7) and the
// kernel's ip-sysctl document.
func heldByMode(mode string) held {
	switch mode {
	case "syn":
		return held{
			"a SYN that nobody answers: the kernel sends it again and again, and the port is taken until it gives up",
			"give connect a timeout of its own and close the socket, set TCP_USER_TIMEOUT, or lower net.ipv4.tcp_syn_retries",
			[]string{"net.ipv4.tcp_syn_retries", "net.ipv4.tcp_syn_linear_timeouts"},
		}
	case "in-flight":
		return held{
			"data in flight to a peer that has vanished: it is sent again, ever more slowly, until TCP_USER_TIMEOUT or " +
				"net.ipv4.tcp_retries2 ends it",
			"set TCP_USER_TIMEOUT on the socket (--user-timeout here): it bounds the time whatever the round trip is",
			[]string{"net.ipv4.tcp_retries2"},
		}
	case "keepalive":
		return held{
			"an idle connection to a peer that has vanished: without keepalive it stays for ever, with it until the probes have failed",
			"set SO_KEEPALIVE with TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT on the socket",
			[]string{"net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"},
		}
	case "fin-wait-1":
		return held{
			"FIN_WAIT_1: the program has closed, and the peer, which has vanished, never acknowledges the FIN",
			"lower net.ipv4.tcp_orphan_retries (0 stands for 8), or set TCP_USER_TIMEOUT on the socket",
			[]string{"net.ipv4.tcp_orphan_retries"},
		}
	case "fin-wait-2":
		return held{
			"FIN_WAIT_2: the program has closed, the peer acknowledged the FIN and never closes its end",
			"lower net.ipv4.tcp_fin_timeout, which is this time and not that of TIME_WAIT, or repair the peer",
			[]string{"net.ipv4.tcp_fin_timeout"},
		}
	}
	return held{means: mode}
}

// settingsOf lists settings in force by their last word: "tcp_tw_reuse=2".
func settingsOf(h result.Host, keys []string) string {
	var all []string
	for _, key := range keys {
		if value, ok := h.Sysctls[key]; ok {
			all = append(all, key[strings.LastIndexByte(key, '.')+1:]+"="+shorten(value, 20))
		}
	}
	return phrases(all...)
}

// timeWaitWords say what it means at which end TIME_WAIT gathered.
func timeWaitWords(r *result.Result) (means, todo string) {
	switch w := r.TimeWait; {
	case w.Generator > 0 && w.Listener > 0:
		return "at both ends: connections were closed first by either", ""
	case w.Generator > 0 && recycles(r):
		return "at the generator, which closed first by FIN; tcp_tw_reuse gives its ports back before TIME_WAIT ends", ""
	case w.Generator > 0:
		return "at the generator, which closed first by FIN: each is a source port that cannot connect to the same target " +
			"until its timer ends", "let the peer close first, and TIME_WAIT costs it memory but you no port"
	case w.Listener > 0 && r.NAT != nil:
		return "at the listener, which closed first by FIN: the generator's ports are free, but the listener may refuse a new connection to which the " +
			"gateway gives one of these ports", "let the generator close first"
	case w.Listener > 0:
		return "at the listener, which closed first by FIN: there it costs memory, and the generator no port", ""
	case r.Config.Close == "client-rst", r.Config.Close == "server-rst":
		return "at neither end: RST leaves none", ""
	}
	return "at neither end", ""
}
