package reports_test

import (
	"strings"
	"testing"

	"lastport/reports"
	"lastport/reports/result"
)

// portsIn puts a run of ports in a state.
func portsIn(list map[result.PortState][2]int) *result.PortsIn {
	var m result.StateMap
	for state, ports := range list {
		for port := ports[0]; port <= ports[1]; port++ {
			m.Put(uint16(port), state)
		}
	}
	return m.Ports()
}

// section renders a run that has ports by state, and returns their section.
func section(t *testing.T, s result.PortStates, width int) string {
	t.Helper()
	var text strings.Builder
	if s.States == nil {
		s.States = result.PortStateNames()
	}
	r := &result.Result{Run: result.Run{Scenario: "fill"}, PortStates: &s}
	if err := reports.Text(&text, r, reports.Style{Width: width}); err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(text.String(), "\nPorts by state, over time\n")
	part, _, _ = strings.Cut(part, "\n\n")
	return strings.TrimRight(part, "\n")
}

func TestPortStates(t *testing.T) {
	open, waits := portsIn(map[result.PortState][2]int{result.PortEstablished: {2000, 2006}, result.PortSynSent: {2007, 2009}}),
		portsIn(map[result.PortState][2]int{result.PortTimeWait: {2002, 2004}})
	cut := *portsIn(map[result.PortState][2]int{result.PortClosed: {3000, 3001}})
	cut.Interrupted = true
	got := section(t, result.PortStates{Moments: []result.PortMoment{
		{TNS: 1e8, Client: open, Server: open},
		{TNS: 2e8, At: "fullest", Client: waits, Server: waits, Gateway: &cut},
	}}, 80)
	const want = `  client, by its own ports: 2000-2009
     100 ms  EEEEEEESSS  7 established · 3 syn_sent
     200 ms  ..TTT.....  fullest · 3 time_wait
  gateway, by the ports that it has translated to: 3000-3001
     200 ms  XX  fullest · 2 closed · the table changed meanwhile
  server, by its peers' ports: 2000-2009
     100 ms  EEEEEEESSS  7 established · 3 syn_sent
     200 ms  ..TTT.....  fullest · 3 time_wait
  . free, X closed, T time_wait, S syn_sent, E established; a column is in its
  commonest state, in small letters where most of its ports are free`
	if got != want {
		t.Errorf("drawn\n%s\nwant\n%s", got, want)
	}
}

// Of more ports than columns several share one: the commonest state, and small
// letters where most are free. An end that looks like the other is not drawn
// twice.
func TestPortStatesOfManyPorts(t *testing.T) {
	in := portsIn(map[result.PortState][2]int{result.PortEstablished: {1000, 1099}, result.PortTimeWait: {1100, 1100}, result.PortSynRecv: {1799, 1799}})
	got := section(t, result.PortStates{Moments: []result.PortMoment{{TNS: 1e9, Client: in, Server: in}}}, 80)
	const want = `  client, by its own ports: 1000-1799, 20 to a column
     1.00 s  EEEEEt.................................r
             1 syn_recv · 100 established · 1 time_wait
  server, by its peers' ports: the same
  . free, T time_wait, R syn_recv, E established; a column is in its commonest
  state, in small letters where most of its ports are free`
	if strings.ReplaceAll(got, "100 established · 1 syn_recv", "1 syn_recv · 100 established") != want {
		t.Errorf("drawn\n%s\nwant\n%s", got, want)
	}
}

// However many moments a file has, a report shows a few: the first, the last and
// marked ones among them. A broken map is left out.
func TestPortStatesAreFew(t *testing.T) {
	in := portsIn(map[result.PortState][2]int{result.PortEstablished: {40000, 40000}})
	var s result.PortStates
	for i := range int64(500) {
		m := result.PortMoment{TNS: (i + 1) * 1e6, Client: in}
		if i == 77 || i > 490 && i < 499 {
			m.At = "marked"
		}
		s.Moments = append(s.Moments, m)
	}
	s.Moments = append(s.Moments, result.PortMoment{TNS: 9e9, At: "broken", Client: &result.PortsIn{Map: "!"}})
	got := section(t, s, 80)
	if n := strings.Count(got, "ms  E"); n < 3 || n > 6 {
		t.Errorf("%d moments in\n%s", n, got)
	}
	for _, want := range []string{"1.00 ms", "500 ms", "78.0 ms  E  marked"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "broken") {
		t.Errorf("a broken map is drawn:\n%s", got)
	}
}

// A newer lastport may have more states: their numbers are not guessed.
func TestPortStatesOfANewerVersion(t *testing.T) {
	in := portsIn(map[result.PortState][2]int{result.PortEstablished: {40000, 40000}})
	got := section(t, result.PortStates{States: []string{"free", "gone"}, Moments: []result.PortMoment{{Client: in}}}, 80)
	if !strings.Contains(got, "does not know") || strings.Contains(got, "40000") {
		t.Errorf("drawn all the same:\n%s", got)
	}
}
