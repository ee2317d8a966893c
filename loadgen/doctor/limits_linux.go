package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"lastport/reports/result"
)

// use is what the facts say of who has ports, for the report; nil if it could not
// be learned.
func (f *Facts) use() *result.Use {
	if f.Use.Err != nil {
		return nil
	}
	have := f.Use.Value
	u := &result.Use{Connections: have.Connections, TimeWait: have.TimeWait, Ownerless: have.Ownerless, Unattended: have.Unattended}
	for _, p := range have.Pairs {
		u.Targets = append(u.Targets, result.TargetUse{
			Source: p.Source.String(), Target: p.Target.String(), Ports: p.Ports, TimeWait: p.TimeWait, Taken: p.Taken,
		})
	}
	for _, p := range have.Processes {
		u.Processes = append(u.Processes, result.Process{
			Command: p.Command, PID: p.PID, UID: int64(p.UID), Connections: p.Connections,
			Target: p.Target.String(), Files: p.Files, FilesMax: p.FilesMax,
		})
	}
	return u
}

// limits are what more connections run into, as far as it could be learned: of
// each kind the nearest first. Those of open connections are counted for
// connections that go out to the target that is fullest, and for the process that
// has fewest descriptors left.
func (f *Facts) limits() (list []result.Limit) {
	add := func(l result.Limit, err error) {
		if err == nil && l.Max > 0 {
			l.Left = max(0, l.Max-l.Used)
			list = append(list, l)
		}
	}
	add(f.portLimit())
	add(f.descriptorLimit(), nil)
	add(f.fileLimit())
	add(f.settingLimit("tracked connections", keyTrackedMax, result.LimitOpen, func() (int64, error) { return f.number(keyTracked) }))
	if f.Memory.Err == nil {
		// One end alone is on this host: half of what a run counts with.
		used := f.SockStat.Value.InUse
		add(result.Limit{Name: "memory, at 4 KiB each", Of: result.LimitOpen, Used: used, Max: used + f.Memory.Value/(kernelBytes/2)}, f.SockStat.Err)
	}
	add(f.settingLimit("sockets in TIME_WAIT", keyTWBuckets, result.LimitClosed, func() (int64, error) { return f.SockStat.Value.TimeWait, f.SockStat.Err }))
	if q := f.Use.Value.Queue; q.Queued > 0 {
		add(result.Limit{Name: "queue of " + q.Listener.String(), Of: result.LimitQueued, Used: q.Queued, Max: q.QueuedMax}, nil)
	} else {
		add(f.settingLimit("queue of a listener", keySomaxconn, result.LimitQueued, func() (int64, error) { return 0, f.Use.Err }))
	}
	slices.SortStableFunc(list, func(a, b result.Limit) int {
		kind := func(l result.Limit) int {
			return slices.Index([]string{result.LimitOpen, result.LimitClosed, result.LimitQueued}, l.Of)
		}
		return cmp.Or(cmp.Compare(kind(a), kind(b)), cmp.Compare(a.Left, b.Left))
	})
	return list
}

// portLimit is that of the ports toward the fullest target.
func (f *Facts) portLimit() (result.Limit, error) {
	have, err := f.available()
	l := result.Limit{Name: "ports toward one target", Of: result.LimitOpen, Max: have}
	if p := f.fullest(); p.Taken > 0 {
		l.Name, l.Used = "ports toward "+p.Target.String(), p.Taken
	}
	return l, cmp.Or(f.Use.Err, err)
}

// descriptorLimit is that of the process which has connections and fewest
// descriptors left; none, if it has no limit or cannot be seen.
func (f *Facts) descriptorLimit() (l result.Limit) {
	for _, p := range f.Use.Value.Processes {
		if p.FilesMax > 0 && (l.Max == 0 || p.FilesMax-p.Files < l.Max-l.Used) {
			l = result.Limit{Name: fmt.Sprintf("descriptors of %s (%d)", p.Command, p.PID), Of: result.LimitOpen, Used: p.Files, Max: p.FilesMax}
		}
	}
	return l
}

// fileLimit is that of open files on the machine, which does not bind root.
func (f *Facts) fileLimit() (result.Limit, error) {
	return f.settingLimit("open files of all", keyFileMax, result.LimitOpen, func() (used int64, err error) {
		text, err := f.text(keyFileNR)
		if err == nil {
			_, err = fmt.Sscan(text, &used)
		}
		return used, err
	})
}

// settingLimit is one that a setting makes.
func (f *Facts) settingLimit(name, key, of string, used func() (int64, error)) (result.Limit, error) {
	highest, err := f.number(key)
	if err != nil {
		return result.Limit{}, err
	}
	n, err := used()
	return result.Limit{Name: name, Of: of, Used: n, Max: highest}, err
}

// nearlyFull is the share of a limit from which it is worth a note.
const nearlyFull = 0.8

// checkNextLimit says which limit the next connections come to first.
func checkNextLimit(f *Facts) result.Check {
	var near []string
	var first *result.Limit
	for _, l := range f.limits() {
		if l.Of != result.LimitOpen {
			continue
		}
		if first == nil {
			first = &l
		}
		near = append(near, fmt.Sprintf("%s: %s more", l.Name, plural(l.Left, "connection")))
	}
	if first == nil {
		return unread(fmt.Errorf("no limit of this host could be read"))
	}
	c := result.Check{Status: result.Fine, Found: strings.Join(near[:min(len(near), 2)], ", then "), Allows: "what is first binds first, as more connections are open"}
	if float64(first.Used) >= nearlyFull*float64(first.Max) {
		c.Status = result.Noted
		c.Allows = fmt.Sprintf("%s of %s are in use; %s", count(first.Used), count(first.Max), beyond(first.Name))
	}
	return c
}

// beyond says what a program meets at a limit.
func beyond(name string) string {
	switch word, _, _ := strings.Cut(name, " "); word {
	case "ports":
		return "beyond, connect says EADDRNOTAVAIL, cannot assign requested address"
	case "descriptors", "open":
		return "beyond, socket says EMFILE or ENFILE, too many open files, while ports are left: raise the limit of the service (LimitNOFILE=, ulimit -n)"
	case "tracked":
		return "beyond, SYNs are dropped without a word and connect times out"
	}
	return "beyond, the kernel ends processes, or says ENOBUFS"
}
