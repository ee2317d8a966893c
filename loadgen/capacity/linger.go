package capacity

import "time"

// listenerWakes is how late a listener is for a close that it puts off: its poller
// counts in milliseconds and rounds up (epoll_wait(2)), and it sleeps less than
// one between two looks.
const listenerWakes = 2 * time.Millisecond

// linger adds what a listener that closes its end late adds to the time that a
// port is out of use. Where the listener closes first the client waits for it.
// Where it is second the client's end is in FIN_WAIT_2 until then, and TIME_WAIT
// begins when the listener's FIN is there: RFC 9293, section 3.6, and
// inet_twsk_reschedule in tcp_timewait_state_process of net/ipv4/tcp_minisocks.c.
// An RST by the client waits for nobody.
func (a *Answer) linger(q Question) {
	if q.Linger <= 0 || q.udp() || q.Close == "client-rst" {
		return
	}
	a.why("the listener closes its end %v late, and the port is taken until it has", q.Linger)
	a.Reuse.Min += q.Linger
	a.Reuse.Max += q.Linger + listenerWakes
}
