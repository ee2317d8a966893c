package loadgen

import (
	"fmt"
	"slices"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
	"lastport/reports/figures"
	"lastport/reports/result"
)

// ending says how a fill's opening ended, and by which failure if it gave up.
type ending struct {
	end  scenario.End
	last outcome.Code
}

// judge compares measured with predicted and says what a reader must know to
// trust the numbers. It smooths nothing: what differs is told.
func (r *run) judge(res *result.Result) {
	res.Warnings = slices.Clip(res.Warnings)
	res.Residual = result.Residual{}
	if r.complete && res.Predicted.Connections != nil && res.Measured.Connections != nil {
		predicted := capacity.Interval[int64](*res.Predicted.Connections)
		d := predicted.Distance(*res.Measured.Connections)
		res.Residual.Connections = &d
	}
	res.Residual.Reuse = r.reuseOff
	res.Warnings = append(res.Warnings, r.warnings(res)...)
	res.Verdict = r.course.verdict(r, res)
	res.Expect = nil
	missed := int64(0)
	for _, e := range r.expect {
		got := e.Eval(res)
		res.Expect = append(res.Expect, got)
		if !got.Held {
			missed++
		}
	}
	if missed > 0 {
		res.Verdict.OK = false
		res.Verdict.Text += "; " + figures.Counted(missed, "expectation") + " not met"
	}
}

// bounded says whether it is for others on the host that the run opens no more.
func (r *run) bounded() bool { return r.cfg.OnHost != nil && r.cfg.OnHost.Bounded }

// set is the hint to change a setting.
func (r *run) set(setting string) string {
	if r.cfg.OnHost != nil {
		return "--place private --sysctl " + setting + "; on this host it is yours to set"
	}
	return "--sysctl " + setting
}

// bad is the verdict of a run that did not come out as it should.
func bad(format string, args ...any) result.Verdict {
	return result.Verdict{Text: fmt.Sprintf(format, args...)}
}

// fillVerdict is a fill in one line.
func (r *run) fillVerdict(res *result.Result) result.Verdict {
	if res.Measured.Connections == nil {
		return bad("nothing had been measured yet when this was written")
	}
	n := *res.Measured.Connections
	switch r.ends.end {
	case scenario.GaveUp:
		return r.gaveUp(res, n)
	case scenario.LowMemory:
		return bad("stopped at %s: %s MB of memory were left", connections(n), figures.Grouped(r.low.left>>20))
	case scenario.TimeUp:
		return bad("--duration ended the fill at %s, before the ports did", connections(n))
	case scenario.Going, scenario.Stopped:
		return bad("interrupted at %s", connections(n))
	}
	predicted := span(*res.Predicted.Connections)
	of, then := "", outcome.NoPort
	if r.nat.full {
		of, then = " of the gateway", outcome.NATNoPort
	}
	switch {
	case *res.Residual.Connections != 0:
		return bad("%s measured, %s predicted: %+d", connections(n), predicted, *res.Residual.Connections)
	case res.Witness != nil && !res.Witness.Agree:
		return bad("%s by the generator's count, but the witnesses disagree", connections(n))
	case res.Measured.Recovered != nil && !*res.Measured.Recovered:
		return bad("%s as predicted, but no port came back after the release", connections(n))
	case r.cfg.Connections > n:
		return result.Verdict{OK: true, Text: fmt.Sprintf("the last port%s: %s of the %s asked for, %s predicted, then %s",
			of, connections(n), figures.Grouped(r.cfg.Connections), predicted, then)}
	case r.ends.end == scenario.Reached:
		return r.reachedVerdict(n)
	}
	return result.Verdict{OK: true, Text: fmt.Sprintf("the last port%s: %s, %s predicted, then %s", of, connections(n), predicted, then)}
}

// gaveUp is the verdict of a fill in which attempt after attempt failed for another
// cause than ports.
func (r *run) gaveUp(res *result.Result, n int64) result.Verdict {
	switch {
	case res.NAT != nil && res.NAT.Full():
		return bad("stopped at %s: connection tracking on the gateway is full at %s entries, which is no lack of ports", connections(n), figures.Grouped(*res.NAT.Tracked))
	case n > r.answer.Connections.Max:
		return bad("%s opened on %s usable ports: they did not stay open", connections(n), figures.Grouped(int64(r.answer.Usable.Size())))
	}
	return bad("gave up at %s: attempt after attempt was %s", connections(n), r.ends.last)
}

// reachedVerdict is that of a fill that has opened as many as it was to.
func (r *run) reachedVerdict(n int64) result.Verdict {
	if r.bounded() {
		return result.Verdict{OK: true, Text: fmt.Sprintf("%s, as predicted; the last %s stay free for others on this host", connections(n), figures.Counted(r.cfg.OnHost.KeepFree, "port"))}
	}
	return result.Verdict{OK: true, Text: connections(n) + " opened, as asked; no port ran out"}
}

// connections writes "1 connection" or "28,232 connections".
func connections(n int64) string { return figures.Counted(n, "connection") }

// span writes "1,000" or "1,000 to 1,001".
func span(i result.Interval) string {
	if i.Min == i.Max {
		return figures.Grouped(i.Min)
	}
	return figures.Grouped(i.Min) + " to " + figures.Grouped(i.Max)
}

// warnings lists what makes the numbers other than they seem.
func (r *run) warnings(res *result.Result) []result.Warning {
	var list []result.Warning
	warn := func(when bool, code, hint, format string, args ...any) {
		if when {
			list = append(list, result.Warning{Code: code, Message: fmt.Sprintf(format, args...), Hint: hint})
		}
	}
	s := r.around.settings
	warn(s.Loopback && s.TWReuse == 2, "loopback_reuse", r.ownAddress(),
		"tcp_tw_reuse=2 gives ports back after 1 s between loopback addresses alone: production is less kind")
	warn(res.Kernel["ListenOverflows"] > 0, "listen_overflow", r.overflowHint(),
		"the listener's queue was full %d times: some latency is its, not the ports'", res.Kernel["ListenOverflows"])
	warn(res.Kernel[twOverflow] > 0, "time_wait_overflow", r.set("net.ipv4.tcp_max_tw_buckets=1048576"),
		"%d connections skipped TIME_WAIT because tcp_max_tw_buckets was reached: the numbers are kinder than production",
		res.Kernel[twOverflow])
	warn(r.counted.SelfConnects() > 0, "self_connect", "choose a --target port outside the range",
		"%d sockets connected to themselves, because no listener holds the target port; they count as refused", r.counted.SelfConnects())
	warn(res.Witness != nil && !res.Witness.Agree, "witnesses_disagree", "",
		"generator, listener and sock_diag do not count the same connections")
	warn(res.Residual.Connections != nil && *res.Residual.Connections != 0 && res.Kernel[twOverflow] == 0, "residual", "look at the outcomes and at space.taken in the result",
		"measured and predicted connections differ: something that the arithmetic does not know took part")
	asked := int64(r.cfg.Requests) * res.Outcomes.OK
	warn(res.Requests != nil && r.complete && res.Requests.Answered < asked, "requests_short", "fewer --requests, or a longer --duration",
		"%s of %s requests were answered: the others were not sent before the run's end, or failed",
		figures.Grouped(answered(res)), figures.Grouped(asked))
	warn(r.assassinated(res),
		"time_wait_assassination", "--ends together, or "+r.set("net.ipv4.tcp_rfc1337=1"),
		"with ends apart an RST may end a socket in TIME_WAIT (RFC 1337): its port came back early")
	warn(r.ends.end == scenario.LowMemory, "low_memory", r.fewer(res),
		"opening stopped before the ports were out, because memory was: the kernel would have begun to kill programs")
	warn(r.ends.end == scenario.GaveUp, "gave_up", r.fewer(res), "attempts failed again and again for another cause than ports: %s", r.ends.last)
	warn(r.gone() != nil, "server_gone", "look at what the server says, and start it again",
		"the server ended before the run did, and nothing was opened from then on: %v", r.gone())
	far := serverVersion(res)
	warn(far != "" && far != r.cfg.Tool.Version, "server_version", "the same version on both sides",
		"the server is lastport %s, and this is lastport %s", far, r.cfg.Tool.Version)
	warn(r.cfg.Ports().Hull().Low < 1024, "privileged_ports", "",
		"the range has ports below 1024: ordinary programs get those only with net.ipv4.ip_unprivileged_port_start set low, as it is in this place")
	list = append(list, r.gatewayWarnings(res)...)
	return append(list, r.ownWarnings(res)...)
}

// serverVersion is the version of a server elsewhere; empty for one that is here.
func serverVersion(res *result.Result) string {
	if res.Server == nil {
		return ""
	}
	return res.Server.Version
}

// ownAddress is the hint to leave the loopback addresses.
func (r *run) ownAddress() string {
	const addr = "the listener is on 198.18.0.1 then"
	if r.cfg.OnHost != nil {
		return "--place private: " + addr + "; or a --target elsewhere"
	}
	return "leave --target out: " + addr
}

// overflowHint is what gives the listener's queue room.
func (r *run) overflowHint() string {
	longer := r.set("net.core.somaxconn=65535") // which bounds the queue
	switch {
	case r.cfg.Ends == EndsApart:
		return "--ends together, or " + longer
	case r.cfg.Workers > 1:
		return "fewer --workers, or " + longer
	}
	return longer
}

// assassinated says whether ports came back sooner than TIME_WAIT lets them, where
// an RST may have ended it.
func (r *run) assassinated(res *result.Result) bool {
	return r.cfg.Ends == EndsApart && r.cfg.Close == step.ClientFIN && res.Residual.Connections != nil && *res.Residual.Connections > 0
}

// fewer is the hint to a fill that the machine has ended, and not the ports or
// the peer.
func (r *run) fewer(res *result.Result) string {
	machine := r.ends.end == scenario.LowMemory || r.ends.last == outcome.NoFD || r.ends.last == outcome.NoMemory
	if !machine || res.Measured.Connections == nil {
		return ""
	}
	return fmt.Sprintf("--connections %d", max(1, usable(*res.Measured.Connections)))
}

// twOverflow counts sockets that skipped TIME_WAIT because tcp_max_tw_buckets
// was reached.
const twOverflow = "TCPTimeWaitOverflow"

// answered is how many requests were answered.
func answered(res *result.Result) int64 {
	if res.Requests == nil {
		return 0
	}
	return res.Requests.Answered
}

// warn adds a warning that the script found.
func (r *run) warn(w result.Warning) { r.res.Warnings = append(slices.Clip(r.res.Warnings), w) }

// noTimeToRecover says that --duration left no time for the proof, which has to
// wait so long after the release.
func noTimeToRecover(wait time.Duration) result.Warning {
	w := result.Warning{
		Code: "recovery_skipped", Hint: "a longer --duration",
		Message: "that ports come back was not proven: --duration was over before",
	}
	if wait > 0 {
		w.Hint = "--close client-rst, or a longer --duration"
		w.Message = fmt.Sprintf("that ports come back was not proven: it takes %v after the release, and --duration was over before", wait)
	}
	return w
}
