package curve

import "time"

// timeWait is how many times as long a search takes past ports in TIME_WAIT as
// past open connections: it must lock what it could else read in passing. Measured
// behind the knee on the machine of the curves, a fill and a churn in turn: 2.8 of
// 1,024 ports, 2.6 to 2.8 of 4,096, 2.7 to 2.9 of 16,384, 2.8 of 28,232, and up to
// twice that where other programs use the processor's cache.
const timeWait = 2.8

// Search is the time of a connect that searches in vain before it finds its port,
// when such a share of the ports taken is in TIME_WAIT and the others are open; 0
// where it was not measured. The curves are of open connections.
func (r Reading) Search(closed float64) time.Duration {
	if r.Empty <= 0 || r.P50 <= r.Empty {
		return r.P50
	}
	return r.Empty + time.Duration(float64(r.P50-r.Empty)*(1+closed*(timeWait-1)))
}

// Mean is the time of a connect on average, if such a share of them searches in
// vain, each for that time, and the others find a port as in an empty range. With
// no search in vain it is P50.
func (r Reading) Mean(inVain float64, search time.Duration) time.Duration {
	if inVain <= 0 || search <= 0 {
		return r.P50
	}
	return time.Duration((1-inVain)*float64(r.Empty) + inVain*float64(search))
}
