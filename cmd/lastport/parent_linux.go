package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/reports/result"
)

// interrupted is the end of a run that a signal ended at once. What it had
// measured is in its folder.
type interrupted struct{ dir string }

func (e interrupted) Error() string { return "interrupted; what was written is in " + e.dir }

// Interrupted says that the exit status is that of a signal.
func (e interrupted) Interrupted() bool { return true }

// execute makes the run in its place, keeps what it tells in the folder, shows it,
// and returns its result: the whole one, or as far as the run came.
func (a *app) execute(one namedRun, host place.Host, f *folder, view *runView) (*result.Result, error) {
	defer view.over()
	cfg := &one.cfg
	spec, err := spec(cfg, host)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(request{Config: *cfg, Spec: spec, Token: one.token})
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	held, err := heldAtMost(cfg, host)
	if err != nil {
		return nil, err
	}
	options := place.Options{Args: []string{childVerb}, Env: withoutToken(), Request: body, Stderr: os.Stderr}
	if onHost(cfg) {
		options.Kind = place.OnHost
	} else {
		options.Table = place.TableFor(2*held, host)
	}
	child, err := place.Start(options)
	if err != nil {
		return nil, err
	}
	r := &running{app: a, child: child, folder: f, view: view}
	return r.wait(signals)
}

// running is a run as its parent sees it.
type running struct {
	*app
	child  *place.Child
	folder *folder
	view   *runView
	last   *result.Result
	final  bool
	failed error // what the child says ended it
}

// wait follows the run to its end.
func (r *running) wait(signals <-chan os.Signal) (*result.Result, error) {
	ended := make(chan error, 1)
	go func() { ended <- loadgen.ReadFrames(r.child.Frames, r.frame) }()
	told := false
	for {
		select {
		case <-signals:
			if told {
				r.child.Kill()
				_, _ = <-ended, r.child.Wait() // of a child that was killed on purpose
				return nil, interrupted{r.folder.path}
			}
			told = true
			if err := r.child.Tell(wordDrain); err != nil {
				r.child.Kill() // it cannot hear: its frames end, and so does this loop
			}
			go r.ui.draining() // a terminal that is stopped must not keep the second signal waiting
		case err := <-ended:
			return r.end(err, r.child.Wait(), told)
		}
	}
}

// end decides what the run came to.
func (r *running) end(reading, waiting error, told bool) (*result.Result, error) {
	switch {
	case r.failed != nil:
		return r.last, r.failed
	case r.final && reading == nil && waiting == nil:
		return r.last, nil
	case r.folder.kept == 1 && r.folder.err != nil:
		return nil, r.folder.err
	case told && r.last != nil:
		return r.last, interrupted{r.folder.path}
	}
	return r.last, endedEarly(reading, waiting, r.final)
}

// endedEarly is a run whose child did not come to its end, or said so wrongly.
func endedEarly(reading, waiting error, final bool) error {
	err := errors.New("the run ended before its time")
	for _, cause := range []error{reading, waiting} {
		if cause != nil {
			err = fmt.Errorf("%w: %w", err, cause)
		}
	}
	if !final {
		err = fmt.Errorf("%w; its last result is missing", err)
	}
	return err
}

// frame takes one frame.
func (r *running) frame(f loadgen.Frame) error {
	if f.Error != nil {
		r.failed = f.Error
	}
	r.view.frame(&f)
	if f.Result != nil {
		r.last, r.final = f.Result, f.Final
		r.metrics.put(f.Result)
		return r.keep(f)
	}
	return nil
}

// keep writes a frame down. Where not even the first can be written the run is
// not worth its time; later it goes on, and is reported at its end.
func (r *running) keep(f loadgen.Frame) error {
	before := r.folder.err
	r.folder.keep(f)
	switch {
	case r.folder.err == nil || before != nil:
		return nil
	case r.folder.kept == 1:
		r.child.Kill()
		return r.folder.err
	}
	r.ui.unsaved(r.folder.err)
	return nil
}
