package reports

import (
	"fmt"

	"lastport/reports/result"
)

// maxUsers bounds what the page shows of targets and processes each.
const maxUsers = 10

// use puts on the page who has ports of the host's range, and what more of them
// would run into.
func (p *page) use(c *result.Checkup) {
	if u := c.Use; u != nil {
		p.heading("Who has ports of the range")
		p.users(u)
	}
	p.heading("What more connections would run into")
	p.limits(c.Limits)
}

// users shows the targets, then the processes.
func (p *page) users(u *result.Use) {
	if u.Connections == 0 {
		p.note("no connection is from a port of the range at this moment")
		return
	}
	rest := ""
	if u.Ownerless > 0 {
		rest = ", and " + count(u.Ownerless) + " closed and not yet over"
	}
	p.note(plural(u.Connections, "connection") + ", of which " + count(u.TimeWait) + " in TIME_WAIT" + rest + ": those have no process any more")
	targets := table{head: []string{"toward", "from", "ports", "TIME_WAIT"}}
	for _, t := range u.Targets[:min(len(u.Targets), maxUsers)] {
		targets.add(span{text: t.Target}, span{text: t.Source}, span{text: count(t.Ports)}, span{text: count(t.TimeWait)})
	}
	if len(targets.rows) > 0 {
		p.table(targets)
	}
	processes := table{head: []string{"process", "user", "connections", "most toward"}}
	for _, q := range u.Processes[:min(len(u.Processes), maxUsers)] {
		processes.add(span{text: processName(q)}, span{text: fmt.Sprint(q.UID)}, span{text: count(q.Connections)}, span{text: q.Target})
	}
	if len(processes.rows) > 0 {
		p.line()
		p.table(processes)
	}
	if u.Unattended != "" {
		p.note(u.Unattended)
	}
}

func processName(q result.Process) string {
	if q.Command == "" {
		return "not to be seen"
	}
	return fmt.Sprintf("%s (%d)", q.Command, q.PID)
}

// limits shows what is used of each limit and what is left.
func (p *page) limits(limits []result.Limit) {
	t := table{head: []string{"", "in use", "of", "left for more"}}
	for _, l := range limits[:min(len(limits), maxUsers)] {
		t.add(span{text: l.Name}, span{text: count(l.Used)}, span{text: count(l.Max)}, span{text: count(l.Left) + " " + l.Of})
	}
	if len(t.rows) > 0 {
		p.table(t)
		p.note("open: connections held; closed: those in TIME_WAIT; queued: those that a listener has not accepted. Of each kind the nearest limit is first")
	}
}
