package place

import (
	"fmt"
	"math/bits"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
)

// The kernel looks a connection up in a table whose size is set at boot. All
// namespaces share it, unless one is made with a table of its own (since Linux
// 6.1; tcp_child_ehash_entries of ip-sysctl). With a million connections, both
// ends in one namespace, each bucket of a usual table holds eight sockets, and
// walking them is a tenth of what opening a connection costs.
const (
	keyTable      = "net.ipv4.tcp_ehash_entries"       // of this namespace; below 0: shared
	keyChildTable = "net.ipv4.tcp_child_ehash_entries" // of namespaces made in this one; 0: shared

	// crowded is from how many sockets for each bucket of the host's on a run gets a
	// table of its own. The usual numbers of connections are measured in the host's.
	crowded = 4
	// maxTable is the kernel's bound.
	maxTable = 16 << 20

	tableVar = "LASTPORT_TABLE" // how Start tells Join: buckets, a space, the host's namespace
)

// TableFor returns how many buckets a table of its own should have that is to
// hold so many sockets; 0: the host's table serves.
func TableFor(sockets int64, host Host) int {
	if host.Table == 0 || sockets < crowded*host.Table {
		return 0
	}
	return min(1<<bits.Len64(uint64(sockets-1)), maxTable)
}

// readTable returns the buckets of the host's table; 0 if they are not known.
func readTable() int64 {
	text, err := kernel.ReadSysctl(keyTable)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(text, "-"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// toOwnTable goes on in a namespace with the table that Start has asked for: it
// executes this program again, and returns only if that was not asked for, or
// cannot be had: without it the run is slower and no less right, and the settings
// in its result say so.
func toOwnTable() error {
	asked, there := os.LookupEnv(tableVar)
	if !there {
		return nil
	}
	if err := os.Unsetenv(tableVar); err != nil {
		return err
	}
	buckets, host, _ := strings.Cut(asked, " ")
	if err := awayFrom(host); err != nil {
		return err
	}
	if kernel.WriteSysctl(keyChildTable, buckets) != nil {
		return nil // a kernel that has not got it
	}
	runtime.LockOSThread() // unshare is of the thread, and exec makes it the process
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("a namespace with a table of connections of its own: %w", err)
	}
	return fmt.Errorf("execute lastport in a namespace with a table of its own: %w", unix.Exec("/proc/self/exe", os.Args, os.Environ()))
}

// ownTable reports the namespace's table if it has one of its own.
func ownTable(st store, host Host, report *Report) {
	buckets, err := st.read(keyTable)
	if err != nil || host.Table == 0 || strings.HasPrefix(buckets, "-") {
		return
	}
	report.Changed[keyTable] = Change{
		Host: strconv.FormatInt(host.Table, 10), Run: buckets,
		Why: "so many connections are looked up in a table of their own",
	}
}
