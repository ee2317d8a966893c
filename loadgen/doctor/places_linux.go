package doctor

import (
	"errors"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"lastport/reports/result"
)

// everyRun are the verbs that need a private place.
const everyRun = "fill, churn, reuse and bench"

// absent says whether a setting does not exist on this kernel.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

func checkProc(f *Facts) result.Check {
	if f.Proc == nil {
		return result.Check{Status: result.Fine, Found: "/proc is mounted"}
	}
	return result.Check{
		Status: result.Blocked,
		Found:  "/proc is not as it should be: " + f.Proc.Error(),
		Blocks: everyRun + ", which read settings and limits there; most of what follows could not be learned",
		Change: []string{"sudo mount -t proc proc /proc"},
		Undo:   []string{"sudo umount /proc"},
	}
}

func checkPlace(f *Facts) result.Check {
	err := f.Place.Err
	if err == nil {
		c := result.Check{
			Status: result.Fine,
			Found:  "a network namespace could be made and set up like this host, as for a run",
			Allows: everyRun + ", without touching the host",
		}
		if n := len(f.Place.Value.Differs); n > 0 {
			c.Found += "; not taken over: " + strings.Join(f.Place.Value.Differs[:min(n, 6)], ", ")
		}
		return c
	}
	c := result.Check{
		Status: result.Blocked,
		Found:  err.Error(),
		Blocks: everyRun + "; plan, report and serve work all the same",
	}
	if f.Proc != nil {
		return c // mending that comes first
	}
	f.liftNamespaceBan(&c)
	noCommand := len(c.Change) == 0
	if errors.Is(err, unix.EROFS) {
		c.Change = []string{"sudo mount -o remount,rw,bind /proc/sys"}
		c.Undo = []string{"sudo mount -o remount,ro,bind /proc/sys"}
		c.Price = "in a container, what is root there can change settings of the host"
	}
	var hinted interface{ Hint() string }
	if noCommand && errors.As(err, &hinted) {
		c.WayOut = hinted.Hint()
	}
	return c
}

// liftNamespaceBan adds the commands for the settings that forbid namespaces,
// as far as it is they: a filter or a container has no command.
func (f *Facts) liftNamespaceBan(c *result.Check) {
	full := errors.Is(f.Place.Err, unix.ENOSPC) || errors.Is(f.Place.Err, unix.EUSERS)
	for _, ban := range []struct {
		key, bad, good string
		limit          bool // it counts namespaces; the others ask who makes them
		price          string
	}{
		{keyMaxUser, "0", "1000", true, "ordinary users reach more of the kernel's code through user namespaces: hardened hosts forbid them on purpose"},
		{keyMaxNet, "0", "1000", true, "ordinary users can make network namespaces, where user namespaces are allowed"},
		{keyUsernsClone, "0", "1", false, "ordinary users reach more of the kernel's code through user namespaces: hardened hosts forbid them on purpose"},
		{keyAppArmor, "1", "0", false, "takes Ubuntu's guard off user namespaces, for every program; a profile for lastport alone is narrower"},
	} {
		text, err := f.text(ban.key)
		if err != nil || text != ban.bad || ban.limit != full || !ban.limit && f.UID == 0 {
			continue
		}
		c.Change = append(c.Change, sysctl(ban.key, ban.good)...)
		c.Undo = append(c.Undo, sysctl(ban.key, text)...)
		keep, forget := f.Boot.keep(ban.key, ban.good)
		c.Keep, c.Forget = append(c.Keep, keep...), append(c.Forget, forget...)
		c.Price = ban.price
	}
	if len(c.Change) > 0 && f.UID != 0 {
		c.WayOut = "without it: run lastport as root, which needs no user namespace"
	}
}
