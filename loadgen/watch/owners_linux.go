package watch

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// owners are the processes that have connections, as they were found last. Finding
// them reads all descriptors of all processes, so it is done less often than
// sockets are listed.
type owners struct {
	at         time.Time // when they were looked for
	next       time.Time
	cost       time.Duration // processor time of the search in the last look; 0: there was none
	list       []result.Process
	by         map[key]string
	unattended string
}

func (o *owners) due(at time.Time) bool { return !at.Before(o.next) }

// who is a process, or the user whose processes cannot be seen.
type who struct {
	kernel.Process
	uid uint32
}

// find finds whose the noted sockets are.
func (o *owners) find(l *look, host *Host) {
	before := host.CPU()
	by := make(map[uint32]kernel.Process)
	if len(l.sockets) > 0 {
		by = host.Owners()
	}
	counts := make(map[who]map[*pair]int64)
	unseen := 0
	for inode, s := range l.sockets {
		one := who{by[inode], s.uid}
		if one.PID == 0 {
			unseen++
		}
		if counts[one] == nil {
			counts[one] = make(map[*pair]int64)
		}
		counts[one][s.pair]++
	}
	o.rank(counts)
	o.unattended = ""
	switch {
	case len(l.sockets) == maxNoted:
		o.unattended = fmt.Sprintf("the processes of %d connections were looked for, and not of the others", maxNoted)
	case unseen > 0:
		o.unattended = fmt.Sprintf("%d connections have a process that cannot be seen: another user's, which root alone may look into, or one whose threads have descriptors of their own", unseen)
	}
	l.sockets = nil
	o.at, o.cost = l.at, host.CPU()-before
	o.next = l.at.Add(stretched(ownersEvery, o.cost, processShare))
}

// rank makes of the counts the list of processes, and who has most of each pair.
func (o *owners) rank(counts map[who]map[*pair]int64) {
	o.list, o.by = nil, make(map[key]string)
	most := make(map[key]int64)
	for _, one := range slices.SortedFunc(maps.Keys(counts), who.compare) {
		process := result.Process{Command: one.Name, PID: one.PID, UID: int64(one.uid)}
		var target netip.AddrPort
		var largest int64
		for p, n := range counts[one] {
			process.Connections += n
			if n > largest || n == largest && p.target.Compare(target) < 0 {
				target, largest = p.target, n
			}
			if n > most[p.key] {
				most[p.key], o.by[p.key] = n, one.name()
			}
		}
		process.Target = target.String()
		o.list = append(o.list, process)
	}
	slices.SortStableFunc(o.list, func(a, b result.Process) int { return cmp.Compare(b.Connections, a.Connections) })
}

func (a who) compare(b who) int { return cmp.Or(cmp.Compare(a.PID, b.PID), cmp.Compare(a.uid, b.uid)) }

// name is what the process is called.
func (a who) name() string {
	if a.PID == 0 {
		return fmt.Sprintf("user %d", a.uid)
	}
	return a.String()
}

// most are those with most connections.
func (o *owners) most(n int) []result.Process { return o.list[:min(len(o.list), n)] }

// of is who has most of a pair's connections; "": nobody has.
func (o *owners) of(k key) string { return o.by[k] }
