package ports

import (
	"slices"
	"time"
)

// Profile is a named range: the source ports of a well-known system. Its reuse
// time is that system's own, for planning; a run keeps the time of the kernel
// that it runs on.
type Profile struct {
	Name      string
	Aliases   []string
	System    string // whose range it is
	Ranges    Ranges
	Reuse     time.Duration // until a closed port can be used again toward the same target; 0: none stated
	PerTarget int           // connections that the system allows per address and target; 0: as many as it has ports
	PerVM     int           // of a gateway's ports those that one machine behind it has by default; 0: all
	Source    string        // where the numbers come from
	Note      string        // what else to know; may be empty
}

// Profiles lists the named ranges, the usual ones first. The caller may change
// the slice.
func Profiles() []Profile {
	unprivileged := Of(Range{Low: 1024, High: Max})
	return []Profile{
		{
			Name: "linux", System: "Linux 4.2 and later", Ranges: Of(Range{Low: 32768, High: 60999}),
			Reuse: 60 * time.Second, Source: "kernel documentation, ip-sysctl: ip_local_port_range",
			Note: "60 s is TIME_WAIT, TCP_TIMEWAIT_LEN of include/net/tcp.h",
		},
		{
			Name: "linux-legacy", System: "Linux before 4.2", Ranges: Of(Range{Low: 32768, High: 61000}),
			Reuse: 60 * time.Second, Source: "kernel documentation, ip-sysctl: ip_local_port_range",
			Note: "an odd number of ports",
		},
		{
			Name: "iana", Aliases: []string{"windows"}, System: "IANA dynamic ports; Windows Vista and later",
			Ranges: Of(Range{Low: 49152, High: Max}), Reuse: 120 * time.Second, Source: "RFC 6335, section 6; Microsoft KB 929851",
			Note: "120 s is the default of Windows (TcpTimedWaitDelay)",
		},
		{
			Name: "macos", System: "macOS", Ranges: Of(Range{Low: 49152, High: Max}),
			Reuse: 30 * time.Second, Source: "XNU, bsd/netinet/tcp_timer.h: TCPTV_MSL; sysctl net.inet.ip.portrange",
			Note: "30 s is 2 MSL at the default net.inet.tcp.msl of 15,000 ms",
		},
		{
			Name: "windows-xp", System: "Windows XP, Windows Server 2003", Ranges: Of(Range{Low: 1025, High: 5000}),
			Reuse: 240 * time.Second, Source: "Microsoft KB 929851", Note: "MaxUserPort is 5000",
		},
		{
			Name: "aws-nat", Aliases: []string{"aws-elb"}, System: "AWS NAT gateways and load balancers", Ranges: unprivileged,
			PerTarget: 55_000, Source: "AWS VPC user guide, NAT gateway basics",
			Note: "55,000 connections per address and target, and no time is stated until a closed port can be used again: earlier " +
				"editions of the guide had about 900 new ones per second, 55,000 per minute, which is --reuse 60s; " +
				"an idle connection ends after 350 s",
		},
		{
			Name: "azure-nat", System: "Azure NAT gateway", Ranges: unprivileged, Reuse: 65 * time.Second, PerTarget: 50_000,
			Source: "Microsoft, Azure NAT Gateway resource: Port reuse timers, Performance",
			Note: "64,512 ports per address, and 50,000 connections per address and target; a port closed by FIN is held down for 65 s, " +
				"by RST for 16 s; Microsoft says that these times may change",
		},
		{
			Name: "gcp-nat", System: "Google Cloud NAT", Ranges: unprivileged, Reuse: 120 * time.Second, PerVM: 64,
			Source: "Google Cloud NAT documentation",
			Note:   "64,512 ports per address, of which a VM has 64 by default, 32 with dynamic allocation",
		},
		{
			Name: "freebsd", System: "FreeBSD", Ranges: Of(Range{Low: 10000, High: Max}), Reuse: 60 * time.Second,
			Source: "FreeBSD ip(4), tcp(4)", Note: "60 s is 2 MSL at the default net.inet.tcp.msl of 30 s",
		},
		{
			Name: "all", System: "every unprivileged port", Ranges: unprivileged,
		},
	}
}

// Lookup returns the profile of that name or alias.
func Lookup(name string) (Profile, bool) {
	all := Profiles()
	i := slices.IndexFunc(all, func(p Profile) bool { return p.Name == name || slices.Contains(p.Aliases, name) })
	if i < 0 {
		return Profile{}, false
	}
	return all[i], true
}
