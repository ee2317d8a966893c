package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"lastport/loadgen/kernel/nstest"
	"lastport/loadgen/kernel/uring"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"lastport":    func() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) },
		"edge-client": func() { os.Exit(edgeClient(os.Args[1:])) },
	})
}

// TestScript runs the scripts of testdata/script: the command line as a person
// types it.
func TestScript(t *testing.T) {
	requireNamespaces(t)
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"field": cmdField, "status": cmdStatus},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Geteuid() == 0, nil
			case "uring":
				return haveRing(), nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", "atexit_sleep_ms=0") // a second for each process otherwise
			return nil
		},
	})
}

// haveRing says whether a script may use io_uring. Where there must be one a script
// that finds none is to fail, and so is not told.
func haveRing() bool {
	return os.Getenv("LASTPORT_REQUIRE_URING") == "1" || uring.ProbeBind() == nil
}

// requireNamespaces skips where private places cannot be made, unless the
// environment says that they must.
func requireNamespaces(t *testing.T) {
	t.Helper()
	flags := "-rn"
	if os.Geteuid() == 0 {
		flags = "-n"
	}
	err := exec.Command("unshare", flags, "true").Run()
	if err == nil {
		return
	}
	nstest.Unavailable(t, fmt.Errorf("network namespaces cannot be made here: %w", err))
}

// cmdStatus runs a command that must end with a status: status N COMMAND ARGS….
func cmdStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND ARGS")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%s: %v", args[1], err)
	}
	if want := args[0]; want != strconv.Itoa(got) {
		ts.Fatalf("status %d, want %s", got, want)
	}
}

// cmdField checks a value of a JSON file: field FILE a.b.0.c VALUE. The value
// "absent" says that there must be none. A * in the path stands for every
// element of an array, of which there must be one at least.
func cmdField(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: field FILE PATH VALUE")
	}
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	dec.UseNumber()
	var v any
	ts.Check(dec.Decode(&v))
	found := walk(v, strings.Split(args[1], "."))
	if len(found) == 0 {
		ts.Fatalf("%s: %s: nothing is there to compare", args[0], args[1])
	}
	for i, v := range found {
		got := "absent"
		if v != nil {
			got = fmt.Sprint(v)
		}
		if (got == args[2]) == neg {
			ts.Fatalf("%s: %s (%d of %d) is %s, want %s (negated: %v)", args[0], args[1], i+1, len(found), got, args[2], neg)
		}
	}
}

// walk follows a path through objects and arrays, to each value that it leads
// to; nil where it ends early.
func walk(v any, path []string) []any {
	if len(path) == 0 {
		return []any{v}
	}
	switch node := v.(type) {
	case map[string]any:
		return walk(node[path[0]], path[1:])
	case []any:
		if path[0] == "*" {
			var all []any
			for _, element := range node {
				all = append(all, walk(element, path[1:])...)
			}
			return all
		}
		if i, err := strconv.Atoi(path[0]); err == nil && i >= 0 && i < len(node) {
			return walk(node[i], path[1:])
		}
	}
	return []any{nil}
}
