package result

// churnFields are what a churn alone measures.
func churnFields() []field {
	late := func(r *Result) *ScheduleError { return r.ScheduleError }
	requests := func(r *Result) *Requests { return r.Requests }
	timeWait := func(r *Result) *TimeWait { return r.TimeWait }
	return []field{
		{"schedule_error.p50", duration, of(late, func(s *ScheduleError) *int64 { return &s.P50NS })},
		{"schedule_error.p99", duration, of(late, func(s *ScheduleError) *int64 { return &s.P99NS })},
		{"schedule_error.max", duration, of(late, func(s *ScheduleError) *int64 { return &s.MaxNS })},
		{"requests.answered", count, of(requests, func(q *Requests) *int64 { return &q.Answered })},
		{"requests.failed", count, of(requests, func(q *Requests) *int64 { return &q.Failed })},
		{"time_wait.generator", count, of(timeWait, func(w *TimeWait) *int64 { return &w.Generator })},
		{"time_wait.listener", count, of(timeWait, func(w *TimeWait) *int64 { return &w.Listener })},
	}
}

// reuseFields are what a reuse alone measures. Where no port came back there is
// no delay, and nothing that is said of one holds.
func reuseFields() []field {
	reuse := func(r *Result) *Reuse { return r.Reuse }
	delay := func(get func(*Reuse) *int64) func(*Result) (float64, bool) {
		return of(reuse, func(u *Reuse) *int64 {
			if u.Count == 0 {
				return nil
			}
			return get(u)
		})
	}
	return []field{
		{"reuse.count", count, of(reuse, func(u *Reuse) *int64 { return &u.Count })},
		{"reuse.min", duration, delay(func(u *Reuse) *int64 { return &u.MinNS })},
		{"reuse.p50", duration, delay(func(u *Reuse) *int64 { return &u.P50NS })},
		{"reuse.max", duration, delay(func(u *Reuse) *int64 { return &u.MaxNS })},
		{"reuse.resolution", duration, delay(func(u *Reuse) *int64 { return &u.ResolutionNS })},
		{"reuse.at_once", count, of(reuse, func(u *Reuse) *int64 { return &u.AtOnce })},
		{"reuse.lost", count, of(reuse, func(u *Reuse) *int64 { return &u.Lost })},
		{"reuse.probes", count, of(reuse, func(u *Reuse) *int64 { return &u.Probes })},
	}
}
