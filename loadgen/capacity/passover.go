package capacity

// passOver allows for a port that is back and not come to. A strategy that
// chooses the port itself learns only by trying that one is still in TIME_WAIT,
// and an attempt tries no more than so many of those again, by turns. When all
// have been used, an attempt may try others, and so may the next: after as many
// attempts as it takes to try them all, the last of them has come to it.
func (a *Answer) passOver(q Question) {
	again, ports := int64(q.Strategy.Again), int64(a.Usable.Size())
	if again == 0 || a.Reuse.Max == 0 || ports <= again {
		return
	}
	a.PassedOver = (ports+again-1)/again - 1
	a.why("an attempt tries at most %d ports again that were taken, so %d in a row may pass over one that is back", again, a.PassedOver)
}

// passedOver is the number of such attempts in all pools: a success takes its
// port for so many attempts longer at most.
func (a *Answer) passedOver() int64 { return a.PassedOver * max(1, a.Pools) }
