package reports_test

import (
	"strings"
	"testing"

	"lastport/reports"
	"lastport/reports/result"
)

// section is the report of a run without its line breaks.
func commandSection(t *testing.T, r *result.Result) string {
	t.Helper()
	var text strings.Builder
	if err := reports.Text(&text, r, reports.Style{}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(text.String()), " ")
}

// A program at the edge: how it ended, and what was seen of it.
func TestCommand(t *testing.T) {
	r := filled("connect")
	if text := commandSection(t, r); strings.Contains(text, "Command at the edge") {
		t.Errorf("there was none, and the report has it:\n%s", text)
	}
	seven, five, out := int64(7), int64(5), int64(3e6)
	r.Config.Command = []string{"curl", "-s"}
	for want, c := range map[string]result.Command{
		"command curl -s ended exit status 7 · after 1.00 s":                        {Ended: result.EndedItself, ExitStatus: &seven, TookNS: 1e9},
		"ended by signal: killed · after":                                           {Ended: result.EndedItself, Signal: "killed"},
		"ended told to end at the end of the hold · after":                          {Ended: result.EndedTerminated, Told: result.ToldHold, Signal: "terminated"},
		"told to end when the run was interrupted, with exit status 7 · after":      {Ended: result.EndedTerminated, Told: result.ToldInterrupt, ExitStatus: &seven},
		"ended killed: it went on after SIGTERM at the end of the run's --duration": {Ended: result.EndedKilled, Told: result.ToldDuration, Signal: "killed"},
		"ran out none was left to it · looked":                                      {PortsOutNS: new(int64)},
		"ended not started: no such file":                                           {Ended: result.EndedNotStarted, Error: "no such file"},
		"ran out never seen · looked every 10.0 ms or sooner":                       {PortsLeft: 1, LookNS: 1e7},
		"5 left to it toward 198.18.0.1:1000, 4 in use at once ran out 3.00 ms after its start": {
			Target: "198.18.0.1:1000", PortsLeft: 5, PortsMost: 4, PortsOutNS: &out,
		},
		"accepted 5 by the listener · 2 left in TIME_WAIT anywhere 7 sent a SYN, toward the listener or elsewhere · 5 of them failed": {Opened: &seven, Accepted: 5, Failed: &five, TimeWait: 2},
	} {
		r.Command = &c
		if text := commandSection(t, r); !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// A command is written as a shell would read it, whatever is in its words.
func TestCommandWords(t *testing.T) {
	r := filled("connect")
	r.Command = &result.Command{Ended: result.EndedItself}
	for want, words := range map[string][]string{
		"command curl -s http://a:1/":         {"curl", "-s", "http://a:1/"},
		`command sh -c $'a\nb "c\\ it\'s' ''`: {"sh", "-c", "a\nb \"c\\ it's", ""},
		`command sh -c 'a $b' 'it'\''s'`:      {"sh", "-c", "a $b", "it's"},
	} {
		r.Config.Command = words
		if text := commandSection(t, r); !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

// The rate that a prediction for held connections comes to is not the one at which a fill
// opened them.
func TestRateOfAHold(t *testing.T) {
	r := filled("connect")
	r.Predicted.RatePerS, r.Config.HoldNS = &result.RateInterval{Min: 20, Max: 20}, 5e9
	made := 13006.0
	r.Measured.RatePerS = &made
	text := commandSection(t, r)
	if !strings.Contains(text, "sustainable rate 20.0/s – –") || !strings.Contains(text, "mean rate – 13,006/s") {
		t.Errorf("%s", text)
	}
}

// The real host: what was kept, who had ports, what was waited for.
func TestOnHost(t *testing.T) {
	r := filled("connect")
	if text := commandSection(t, r); strings.Contains(text, "On the host") {
		t.Errorf("it was not there:\n%s", text)
	}
	r.OnHost = &result.OnHost{
		KeepFree: 1411, FreeBefore: 28000, Bounded: true, TimeWaitBefore: 3, TimeWaitForNS: 4e9, WaitedNS: 2e9,
		Holders: []result.PortHolder{{Who: "nginx[12]", Ports: "40000-40009", Count: 10}, {Who: "\x1b[31m", Ports: "1", Count: 1}},
	}
	text := commandSection(t, r)
	for _, want := range []string{
		"kept free 1,411 ports for others, of 28,000 free before: so the run stopped before the last port",
		"waited 2.00 s for TIME_WAIT to end", "3 sockets toward the targets before the run, the last for 4.00 s more",
		"taken nginx[12] · 10 ports · 40000-40009", "kernel counters are those of the whole host",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "\x1b") {
		t.Error("a name from outside commands the terminal")
	}
}
