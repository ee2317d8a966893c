package main

import "strings"

// setup is one way of using ports. Its flags are those of fill, churn and reuse
// alike; those of churn alone are apart.
type setup struct {
	varies string
	flags  string
	churn  string
}

// hundreds is the range of a setup that names none: few enough to be opened in
// milliseconds and to wait a minute for at no cost, and enough for a rate to be
// told to half a percent.
const hundreds = "--range 40000-40199"

// twoSources are source addresses of the listener's own network, RFC 2544.
const (
	twoSources  = "--source 198.18.1.1,198.18.1.2"
	fourSources = "--source 198.18.1.1-198.18.1.4"
	early       = "--sysctl net.ipv4.tcp_tw_reuse=1"
)

// setups are all, in the order of the table.
func setups() []setup {
	var list []setup
	add := func(varies string, flags ...string) {
		for _, f := range flags {
			list = append(list, setup{varies: varies, flags: f})
		}
	}
	add("strategy", "--strategy connect", "--strategy bind", "--strategy late-bind", "--strategy socket-range", "--strategy window",
		"--strategy sequential", "--strategy random", "--strategy simple-hash", "--strategy double-hash", "--strategy random-increment")
	add("close", "--close client-rst", "--close server-fin", "--close server-rst", "--strategy bind --close server-fin",
		"--strategy bind --close client-rst", "--strategy socket-range --close server-fin", "--strategy random --close server-rst")
	add("family", "-6", "-6 --strategy bind", "-6 --strategy late-bind", "-6 --strategy socket-range", "-6 --strategy window",
		"-6 --strategy random", "-6 --close server-fin", "-6 "+early)
	add("protocol", "--proto udp", "--proto udp --strategy bind", "--proto udp --strategy late-bind", "--proto udp --strategy socket-range",
		"--proto udp -6", "--proto udp "+twoSources)
	add("settings", "--sysctl net.ipv4.tcp_tw_reuse=0", early, "--sysctl net.ipv4.tcp_tw_reuse=2 --target 127.0.0.1:1000",
		"--sysctl net.ipv4.tcp_tw_reuse=2 --target [::1]:1000", early+" --sysctl net.ipv4.tcp_tw_reuse_delay=5000",
		early+" --sysctl net.ipv4.tcp_tw_reuse_delay=500", early+" --sysctl net.ipv4.tcp_tw_reuse_delay=2500",
		early+" --sysctl net.ipv4.tcp_timestamps=0", early+" --strategy bind", early+" --strategy late-bind", early+" --strategy socket-range",
		early+" --strategy window", "--strategy random --sysctl net.ipv4.tcp_timestamps=0", "--sysctl net.ipv4.tcp_fin_timeout=5",
		"--sysctl net.ipv4.tcp_max_tw_buckets=100", "--sysctl net.ipv4.tcp_max_tw_buckets=1000",
		"--sysctl net.ipv4.ip_local_reserved_ports=40010-40049")
	add("space", twoSources, fourSources, twoSources+" --strategy bind", twoSources+" --strategy socket-range", twoSources+" --strategy random",
		"--target 198.18.0.1:1000-1001", "--target 198.18.0.1:1000,198.18.0.2:1000", "--target 198.18.0.1:1000-1003 --strategy socket-range",
		"--target 198.18.0.1:1000-1001 --strategy bind", "--target 198.18.0.1:1000-1001 "+twoSources, "--target 198.18.0.1:40100",
		"--target 198.18.0.1:40100 --strategy socket-range", "--exclude 40050-40099", "--exclude 40001,40003,40005 --strategy socket-range",
		"--range 40000-40200", "--range 40000-40200 --strategy socket-range", "--range 40000-40200 --strategy bind",
		"--range 40000-40200 --proto udp", "--range 40000-40099,40150-40249", "--range 40000-40000 --strategy socket-range",
		"--range 40000-40001", "--range 40000-40002", "--range 1100-1299", "--range 65336-65535", "--range 40000-40999")
	list = append(list,
		setup{"hold", "--close client-rst", "--hold 500ms"},
		setup{"hold", "--close server-fin --strategy bind", "--hold 1s"},
		setup{"hold", early, "--hold 1s"},
		setup{"hold", "--strategy connect", "--hold 2s"},
		setup{"hold", "--sysctl net.ipv4.tcp_max_tw_buckets=100", "--hold 10s"},
	)
	return list
}

// name is the setup in the table.
func (s setup) name() string { return strings.TrimSpace(s.flags + " " + s.churn) }

// words are the flags of every verb.
func (s setup) words() []string {
	flags := s.flags
	if !strings.Contains(flags, "--range") {
		flags = hundreds + " " + flags
	}
	return strings.Fields(flags)
}

// choose keeps the setups that contain the text.
func choose(all []setup, text string) (chosen []setup) {
	for _, s := range all {
		if strings.Contains(s.varies+" "+s.name(), text) {
			chosen = append(chosen, s)
		}
	}
	return chosen
}
