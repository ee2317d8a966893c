package result

// Plus adds counts up. A state that one of them has not read is absent.
func (s States) Plus(o States) States {
	add := func(a, b *int64) *int64 {
		if a == nil || b == nil {
			return nil
		}
		sum := *a + *b
		return &sum
	}
	return States{
		SynSent: add(s.SynSent, o.SynSent), Established: add(s.Established, o.Established),
		FinWait1: add(s.FinWait1, o.FinWait1), FinWait2: add(s.FinWait2, o.FinWait2),
		CloseWait: add(s.CloseWait, o.CloseWait), LastAck: add(s.LastAck, o.LastAck),
		Closing: add(s.Closing, o.Closing), TimeWait: add(s.TimeWait, o.TimeWait),
	}
}
