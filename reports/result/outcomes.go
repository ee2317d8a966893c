package result

// Outcomes counts attempts by what came of them. Their sum is the number of
// attempts.
type Outcomes struct {
	OK          int64 `json:"ok"`
	NoPort      int64 `json:"no_port"`
	PortBusy    int64 `json:"port_busy"`
	TupleBusy   int64 `json:"tuple_busy"`
	Refused     int64 `json:"refused"`
	Reset       int64 `json:"reset"`
	TimedOut    int64 `json:"timed_out"`
	NATNoPort   int64 `json:"nat_no_port"`
	NoFD        int64 `json:"no_fd"`
	NoMemory    int64 `json:"no_memory"`
	Unreachable int64 `json:"unreachable"`
	Denied      int64 `json:"denied"`
	Canceled    int64 `json:"canceled"`
	Other       int64 `json:"other"`
}

// OutcomeCount is one outcome's name and number.
type OutcomeCount struct {
	Name string
	N    int64
}

// All lists the outcomes in the order of the file, zeros included.
func (o Outcomes) All() []OutcomeCount {
	return []OutcomeCount{
		{"ok", o.OK},
		{"no_port", o.NoPort},
		{"port_busy", o.PortBusy},
		{"tuple_busy", o.TupleBusy},
		{"refused", o.Refused},
		{"reset", o.Reset},
		{"timed_out", o.TimedOut},
		{"nat_no_port", o.NATNoPort},
		{"no_fd", o.NoFD},
		{"no_memory", o.NoMemory},
		{"unreachable", o.Unreachable},
		{"denied", o.Denied},
		{"canceled", o.Canceled},
		{"other", o.Other},
	}
}

// Sum adds all outcomes up.
func (o Outcomes) Sum() int64 {
	var sum int64
	for _, c := range o.All() {
		sum += c.N
	}
	return sum
}

// Timed is one thing that was timed, and its summary; nil if it was not.
type Timed struct {
	Name    string
	Summary *Summary
}

// All lists what can be timed in the order of the file, absent ones included.
func (l Latency) All() []Timed {
	return []Timed{
		{"connect", l.Connect},
		{"response", l.Response},
		{"bind", l.Bind},
		{"close", l.Close},
		{"failure", l.Failure},
		{"request", l.Request},
	}
}
