package reports

import "lastport/reports/result"

// elsewhere tells what a server on another machine has seen of its own side.
func (p *page) elsewhere(s *result.Server) {
	if s.Version == "" {
		return
	}
	p.fact("server", phrases("lastport "+s.Version,
		inTimeWait(s.States),
		optional(s.Overflows, func(n int64) string { return plural(n, "overflow") + " of its queues" }),
		optional(s.Strangers, func(n int64) string { return plural(n, "stranger") + " not served" })))
}

// inTimeWait tells how many of the server's sockets are in TIME_WAIT, if that was
// counted.
func inTimeWait(s *result.States) string {
	if s == nil || s.TimeWait == nil {
		return ""
	}
	return count(*s.TimeWait) + " in TIME_WAIT there"
}
