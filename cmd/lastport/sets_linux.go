package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/reports/result"
)

// namedRun is one run of a set, ready to be made.
type namedRun struct {
	index int // its place in the set
	name  string
	cfg   loadgen.Config
	asked loadgen.Config // on the real host: cfg before anything was reserved for others
	token string         // of a run whose targets are servers elsewhere; it is kept nowhere
}

// setFolder is where the runs of a set go: one folder each, and the set's own
// result beside them. What is on disk is whole at any moment: a set that was
// killed holds what its runs had told by then, and says that it was interrupted.
type setFolder struct {
	path string
	mu   sync.Mutex // guards what is below; runs may go on side by side
	runs []*result.Result
	set  result.Set
	next time.Time // when a set that is not at its end is written again, at the soonest
	err  error     // the first that writing met
}

// setEvery is how old what is on disk of a set may get while its runs go on. Each
// run's own file is newer; a set holds all of them, and of twenty side by side
// each brings news all the time.
const setEvery = time.Second

func makeSetFolder(out, verb, axis string, runs int) (*setFolder, error) {
	path, _, err := newFolder(out, verb)
	if err != nil {
		return nil, err
	}
	s := &setFolder{path: path, runs: make([]*result.Result, runs)}
	s.set = result.Set{Schema: result.SetSchema, Axis: axis, Planned: runs, Interrupted: true}
	return s, s.save()
}

// put takes the newest result of the i-th run.
func (s *setFolder) put(i int, r *result.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs[i] = r
	s.set.Runs = nil
	s.set.Interrupted = false
	for _, r := range s.runs {
		if r != nil {
			s.set.Runs = append(s.set.Runs, r)
		}
		s.set.Interrupted = s.set.Interrupted || r == nil || r.Run.Interrupted
	}
	if r.Run.Interrupted && time.Now().Before(s.next) {
		return
	}
	if err := s.save(); err != nil && s.err == nil {
		s.err = err
	}
	s.next = time.Now().Add(setEvery)
}

// save writes the set as far as it is.
func (s *setFolder) save() error {
	return result.Write(filepath.Join(s.path, result.FileName), &s.set)
}

// member makes the folder of one of the set's runs.
func (s *setFolder) member(r namedRun) (*folder, error) {
	f, err := makeFolder(filepath.Join(s.path, fmt.Sprintf("%02d-%s", r.index+1, fileName(r.name))), r.cfg.Scenario)
	if err == nil {
		f.also = func(res *result.Result) { s.put(r.index, res) }
	}
	return f, err
}

// fileName keeps of a name what a file's name can hold.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '/' {
			return '-'
		}
		return r
	}, name)
}

// oneByOne makes runs in turn, for those that would take processor time from
// one another. It stops after one that failed or was interrupted.
func (a *app) oneByOne(s *setFolder, runs []namedRun, host place.Host, f *runFlags) error {
	for _, r := range runs {
		a.ui.member(r.index+1, len(s.runs), r.name)
		if err := a.beforeHost(&r, host, f); err != nil {
			return err
		}
		shown := newProgress(a.ui, f.progress)
		res, err := a.memberRun(s, r, host, shown.run(""))
		shown.end()
		if err != nil {
			return err
		}
		if a.note(res) == exitInterrupted {
			return nil
		}
	}
	return nil
}

// memberRun makes one run of a set.
func (a *app) memberRun(s *setFolder, r namedRun, host place.Host, view *runView) (*result.Result, error) {
	dir, err := s.member(r)
	if err != nil {
		return nil, err
	}
	res, err := a.execute(r, host, dir, view)
	if res == nil {
		dir.abandon()
		return nil, err
	}
	return res, errors.Join(err, dir.close())
}

// sideBySide makes runs that mostly wait: many at once, and in turn on the real host,
// where they would share the ports.
func (a *app) sideBySide(s *setFolder, runs []namedRun, host place.Host, f *runFlags) error {
	if onHost(&runs[0].cfg) {
		return a.oneByOne(s, runs, host, f)
	}
	a.ui.together(len(runs))
	return a.manyAtOnce(s, runs, host, f.progress)
}

// allAtOnce makes runs side by side, for those that mostly wait. Each has a
// place of its own, so they share nothing but the processors. They are shown
// together, as --progress says.
func (a *app) allAtOnce(s *setFolder, runs []namedRun, host place.Host, progress string) error {
	var group errgroup.Group
	shown := progressSideBySide(a.ui, progress)
	for _, r := range runs {
		view := shown.run(r.name)
		group.Go(func() error {
			_, err := a.memberRun(s, r, host, view)
			return err
		})
	}
	err := group.Wait()
	shown.end()
	for _, r := range runs {
		if res := s.runs[r.index]; res != nil {
			a.note(res)
		}
	}
	return err
}

// note takes a run's status into that of the set: the worst counts.
func (a *app) note(r *result.Result) int {
	status := statusOfResult(r)
	a.status = max(a.status, status)
	return status
}

// concludeSet reports what a set came to, whatever that is.
func (a *app) concludeSet(s *setFolder, err error, out *output) error {
	if len(s.set.Runs) == 0 {
		_ = os.Remove(filepath.Join(s.path, result.FileName)) // an empty set of ours
		_ = os.Remove(s.path)                                 // fails, rightly, if there is more in it
		return err
	}
	saveErr := errors.Join(s.err, s.save()) // what the last news were, of a run that was cut off too
	a.ui.saved(s.path)
	err = errors.Join(err, saveErr, out.render(a.stdout, &s.set))
	return errors.Join(err, a.page(s.path, &s.set))
}
