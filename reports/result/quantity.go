package result

// Quantity is one number of a result that can be asked for by its name, as an
// expectation names it: "connect.p99". LookupQuantity finds it.
type Quantity struct{ field field }

// LookupQuantity returns the quantity of a name; ExpectFields lists the names.
func LookupQuantity(name string) (Quantity, bool) {
	f, ok := lookupField(name)
	return Quantity{f}, ok
}

// Name returns the name.
func (q Quantity) Name() string { return q.field.name }

// Of returns the number that a run measured, and false if it measured none. Its
// unit is that of Unit; yes is 1 and no 0.
func (q Quantity) Of(r *Result) (float64, bool) { return q.field.get(r) }

// The units of quantities.
const (
	UnitCount  = "count"  // a whole number of things
	UnitNumber = "number" // a number with a fraction: per second, or without a unit
	UnitNS     = "ns"     // nanoseconds
	UnitShare  = "share"  // 1 is all
	UnitTruth  = "truth"  // 1 is true, 0 is false
)

// Unit returns what the numbers mean.
func (q Quantity) Unit() string {
	switch q.field.kind {
	case count:
		return UnitCount
	case duration:
		return UnitNS
	case share:
		return UnitShare
	case truth:
		return UnitTruth
	}
	return UnitNumber
}

// Print writes a value of the quantity as an expectation's report does: "18.3µs".
func (q Quantity) Print(v float64) string { return q.field.kind.print(v) }
