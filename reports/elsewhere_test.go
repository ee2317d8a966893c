package reports_test

import (
	"strings"
	"testing"

	"lastport/reports"
	"lastport/reports/result"
)

// A server elsewhere tells its own side; of one that is here there is nothing
// more to tell.
func TestServerElsewhere(t *testing.T) {
	r := filled("connect")
	var text strings.Builder
	if err := reports.Text(&text, r, reports.Style{}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text.String(), "TIME_WAIT there") {
		t.Errorf("a listener that is here is elsewhere:\n%s", &text)
	}
	server := *r.Server
	one, seven := int64(1), int64(7)
	server.Version, server.Overflows, server.Strangers, server.States = "1.2.3", &one, new(int64), &result.States{TimeWait: &seven}
	r.Server = &server
	text.Reset()
	if err := reports.Text(&text, r, reports.Style{}); err != nil {
		t.Fatal(err)
	}
	const want = "lastport 1.2.3 · 7 in TIME_WAIT there · 1 overflow of its queues · 0 strangers not served"
	if !strings.Contains(strings.Join(strings.Fields(text.String()), " "), want) { // whatever the lines
		t.Errorf("no %q in\n%s", want, &text)
	}
}
