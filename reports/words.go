package reports

import "lastport/reports/result"

// outcomeWords says what an outcome means in this run, and what to do about it.
// The causes are those of package outcome, the ways out those of ip-sysctl and
// ip(7).
func outcomeWords(name string, r *result.Result) (means, todo string) {
	switch name {
	case "ok":
		return "connected", ""
	case "no_port":
		return "no source port was left toward the target (EADDRNOTAVAIL)",
			"in production: keep connections and use them again, let the peer close first, widen " +
				"net.ipv4.ip_local_port_range, or add source addresses or target ports"
	case "port_busy":
		return "the source port that the strategy chose is taken (EADDRINUSE)",
			"see who holds it with 'ss -tan', leave it out with --exclude"
	case "tuple_busy":
		return "the source port is in use toward this very target (EADDRNOTAVAIL), or in TIME_WAIT",
			"wait until TIME_WAIT ends, or choose another --range"
	case "refused":
		return "the target answered that nothing listens there, or the socket met itself",
			"check that a listener is up on " + targetOf(r) + ", outside the source range"
	case "reset":
		return "the peer reset the connection while it was being opened",
			"look at the listener's log, and at middleboxes on the path"
	case "timed_out":
		if r.RefusedByTimeWait() > 0 {
			return "no answer within " + timeoutOf(r) + ": the listener refuses a SYN for a port that it has in TIME_WAIT, and the gateway gives such ports away",
				"let the client close first: its own ports rest then, and the listener has no TIME_WAIT; or raise --timeout for another SYN"
		}
		return "no answer within " + timeoutOf(r),
			"look for a firewall or a full accept queue at " + targetOf(r) + ", for a NAT gateway without ports, or raise --timeout"
	case "nat_no_port":
		return "the NAT gateway had no port left and dropped the SYN",
			"in production: keep connections and use them again, give the gateway more ports or outside addresses, or add target addresses or ports"
	case "no_fd":
		return "the descriptor table was full (EMFILE, ENFILE): a limit of this machine, not of ports",
			"raise it with 'ulimit -n', or use more --workers: each has a table of its own"
	case "no_memory":
		return "the kernel had no memory for a socket (ENOBUFS, ENOMEM)",
			"look at 'cat /proc/net/sockstat' and net.ipv4.tcp_mem, or use a smaller --range"
	case "unreachable":
		return "there is no route to the target",
			"look at 'ip route get' for " + targetOf(r) + "; a target outside the private place needs --place host"
	case "denied":
		return "a local firewall or security policy forbids it (EPERM, EACCES)",
			"look at 'nft list ruleset' and the security policy of this program"
	case "canceled":
		return "the run ended before the answer came", ""
	}
	return "failed for another cause", "look at the warnings of this run, or run one attempt under 'strace -e trace=network'"
}

func targetOf(r *result.Result) string {
	if len(r.Config.Targets) == 0 {
		return "the target"
	}
	return shorten(r.Config.Targets[0], 60)
}

func timeoutOf(r *result.Result) string {
	if r.Config.TimeoutNS <= 0 {
		return "the timeout of one attempt"
	}
	return duration(r.Config.TimeoutNS) + " (--timeout)"
}

// counterWord says what a kernel counter means when it has moved.
type counterWord struct {
	name  string
	tone  tone
	means string
	todo  string
}

// counterWords are the counters worth reading, by their names in /proc/net/snmp
// (Tcp) and /proc/net/netstat (TcpExt). Their meanings are those of the
// kernel's networking/snmp_counter document; that of TW and TWKilled has since
// changed, see __inet_twsk_schedule of net/ipv4/inet_timewait_sock.c.
func counterWords() []counterWord {
	return []counterWord{
		{"ListenOverflows", bad, "connections that a full accept queue turned away", "raise net.core.somaxconn and the listener's backlog, or accept faster"},
		{"ListenDrops", bad, "SYNs or connections that a listener dropped for any reason, overflows among them", ""},
		{"TCPReqQFullDrop", bad, "SYNs dropped because the SYN queue was full", "raise net.ipv4.tcp_max_syn_backlog"},
		{"TCPReqQFullDoCookies", caution, "SYNs answered by a cookie because the SYN queue was full", "raise net.ipv4.tcp_max_syn_backlog"},
		{
			"TCPTimeWaitOverflow", bad, "sockets that skipped TIME_WAIT because its limit was reached: this hides exhaustion",
			"raise net.ipv4.tcp_max_tw_buckets above the size of the range",
		},
		{"TCPAbortOnMemory", bad, "connections killed for want of memory or for too many orphans", "look at net.ipv4.tcp_mem and net.ipv4.tcp_max_orphans"},
		{"TCPAbortOnTimeout", caution, "connections given up after too many retransmissions", ""},
		{"TCPAbortFailed", caution, "RSTs that could not be sent for want of memory", ""},
		{"TCPBacklogDrop", bad, "segments dropped because a socket's backlog was full", ""},
		{"TCPTimeouts", caution, "retransmission timers that ran out", ""},
		{"TCPSynRetrans", caution, "SYNs and SYN-ACKs sent again: one got lost or was not answered", ""},
		{"RetransSegs", caution, "segments sent again", ""},
		{"AttemptFails", plain, "connections that failed while being opened", ""},
		{"EmbryonicRsts", caution, "RSTs for connections that were being opened", ""},
		{"TCPAbortOnLinger", caution, "connections reset in FIN_WAIT_2 without waiting for the peer (TCP_LINGER2)", ""},
		{"TCPKeepAlive", plain, "keepalive probes sent", ""},
		{"PAWSActive", caution, "SYN-ACKs rejected for an old timestamp", ""},
		{"PAWSEstab", caution, "segments rejected for an old timestamp", ""},
		{"PAWSOldAck", plain, "ACKs thrown away for a timestamp older than the last", ""},
		{
			"PAWSTimewait", caution, "segments that TIME_WAIT rejected for an old timestamp: a new connection may have to send its SYN again",
			"",
		},
		{"TSEcrRejected", caution, "segments rejected for echoing a timestamp that was never sent", ""},
		{"TCPACKSkippedTimeWait", plain, "ACKs that TIME_WAIT held back, as there were too many", ""},
		{"TCPChallengeACK", caution, "challenge ACKs: segments that did not fit their connection", ""},
		{"ActiveOpens", plain, "connections opened", ""},
		{"PassiveOpens", plain, "connections accepted", ""},
		{"EstabResets", plain, "open connections that ended by RST", ""},
		{"OutRsts", plain, "RSTs sent", ""},
		{"TCPAbortOnClose", plain, "connections closed by RST with data unread", ""},
		{"TCPAbortOnData", plain, "connections closed by RST because the program asked for it (linger 0)", ""},
		{"TW", plain, "sockets that went into TIME_WAIT, or FIN_WAIT_2 without an owner", ""},
		{"TWRecycled", plain, "ports taken back from TIME_WAIT for a new connection (tcp_tw_reuse)", ""},
		{"TWKilled", plain, "the same, for at most 4 s each", ""},
	}
}
