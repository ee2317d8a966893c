package doctor

import (
	"fmt"

	"lastport/reports/figures"
	"lastport/reports/result"
)

// How package engine shares connections out to threads with descriptor tables
// of their own, where both ends are on one thread.
const (
	maxThreads   = 512 // of one worker
	fdsEach      = 2   // of a connection, both ends
	fdsElsewhere = 20  // of a table: 12 that are open before, and 8 to spare
)

// threads returns how many threads a fill of the wanted connections takes with
// tables of the limit; 0: no number of them is enough.
func threads(limit uint64, wanted int64) int64 {
	if limit < fdsElsewhere+fdsEach {
		return 0
	}
	each := (int64(min(limit, 1<<30)) - fdsElsewhere) / fdsEach
	n := (wanted + 1 + each - 1) / each // one more, for the attempt that finds no port
	if n > maxThreads {
		return 0
	}
	return n
}

func checkNoFile(f *Facts) result.Check {
	if f.NoFile.Err != nil {
		return unread(f.NoFile.Err)
	}
	limit, wanted := f.NoFile.Value, f.wanted()
	c := result.Check{Status: result.Fine, Found: fmt.Sprintf("%s per table", count(int64(min(limit.Soft, 1<<62))))}
	if limit.Hard != limit.Soft {
		c.Found += fmt.Sprintf(", up to %s", count(int64(min(limit.Hard, 1<<62))))
	}
	if n := threads(limit.Soft, wanted); n > 0 {
		c.Allows = fmt.Sprintf("%s connections with both ends, by %s with descriptor tables of their own; "+
			"an ordinary program has one table", count(wanted), plural(n, "thread"))
		return c
	}
	need := uint64(fdsElsewhere + fdsEach*((wanted+maxThreads)/maxThreads)) // one more, for the attempt that finds no port; rounded up
	c.Status = result.Blocked
	c.Blocks = fmt.Sprintf("a fill of the host's whole range (%s connections); a smaller --range or --connections works", count(wanted))
	c.Change = []string{fmt.Sprintf("ulimit -n %d", need)}
	c.Undo = []string{fmt.Sprintf("ulimit -n %d", limit.Soft)}
	if need > limit.Hard {
		c.Change = []string{fmt.Sprintf("sudo prlimit --pid $$ --nofile=%d", need)}
		c.Undo = []string{fmt.Sprintf("sudo prlimit --pid $$ --nofile=%d:%d", limit.Soft, limit.Hard)}
	}
	return c
}

func checkNROpen(f *Facts) result.Check {
	n, err := f.number(keyNROpen)
	if err != nil {
		return unread(err)
	}
	c := result.Check{Status: result.Fine, Found: count(n), Allows: "no limit per table can be set above it, not even by root"}
	if f.NoFile.Err == nil && f.NoFile.Value.Hard > uint64(max(n, 0)) {
		c.Status = result.Noted
		c.Blocks = "raising the limit of a table once it has been lowered below the present one"
	}
	return c
}

// checkFileMax looks at the number of open files on the whole machine.
func checkFileMax(f *Facts) result.Check {
	most, err := f.number(keyFileMax)
	if err != nil {
		return unread(err)
	}
	text, err := f.text(keyFileNR)
	if err != nil {
		return unread(err)
	}
	var used int64
	if _, err := fmt.Sscan(text, &used); err != nil {
		return unread(fmt.Errorf("sysctl %s: %q does not begin with a number", keyFileNR, text))
	}
	left, wanted := max(0, most-used), f.wanted()
	c := result.Check{
		Status: result.Fine,
		Found:  fmt.Sprintf("%s, %s in use", count(most), count(used)),
		Allows: fmt.Sprintf("%s more connections with both ends on this machine; it binds all but root", count(left/fdsEach)),
	}
	if most >= 1<<62 {
		c.Found, c.Allows = fmt.Sprintf("no limit, %s in use", count(used)), "any number of open files on this machine"
	}
	if left < fdsEach*wanted {
		c.Status = result.Blocked
		c.Blocks = fmt.Sprintf("a fill of the host's whole range as an ordinary user: %s connections take %s files", count(wanted), count(fdsEach*wanted))
		f.set(&c, keyFileMax, fmt.Sprint(used+2*fdsEach*wanted))
		c.Price = "each open file takes kernel memory"
	}
	return c
}

// plural writes a number and a noun.
func plural(n int64, noun string) string { return figures.Counted(n, noun) }
