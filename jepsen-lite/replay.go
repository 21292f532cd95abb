package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
)

func (a *app) replayCommand(f *flag.FlagSet, args []string) (status, error) {
	asJSON := f.Bool("json", false, "print one JSON object and nothing else")
	out := f.String("out", "", "directory for the scenario, the history, the results and the reports")
	paths, err := parse(f, args)
	if err != nil {
		return 0, err
	}
	if len(paths) != 1 {
		return 0, fmt.Errorf("%w: replay wants one file or directory", errUsage)
	}
	s, err := load(paths[0])
	if err != nil {
		return 0, err
	}
	if err := sim.Verify(s, a.options); err != nil {
		return 0, err
	}
	p, err := a.play(s, nil, fmt.Sprintf("%s replay %s", program, quote(paths[0])))
	if err != nil {
		return 0, err
	}
	if err := sameAsRecorded(paths[0], p); err != nil {
		return 0, err
	}
	o := objectOf(p)
	if *out != "" {
		if err := save(p, o, *out); err != nil {
			return 0, err
		}
	}
	if *asJSON {
		return statusOf(p.Judged), printJSON(a.out, o)
	}
	fmt.Fprintf(a.out, "three runs, one trace: %s\n", traceOf(p.Result))
	a.tell(p)
	return statusOf(p.Judged), nil
}

// sameAsRecorded compares a run with the one that a directory recorded.
func sameAsRecorded(path string, p *played) error {
	text, err := os.ReadFile(filepath.Join(path, resultsFile))
	if errors.Is(err, fs.ErrNotExist) || err != nil && filepath.Ext(path) == suffix {
		return nil
	}
	if err != nil {
		return err
	}
	var o object
	if err := json.Unmarshal(text, &o); err != nil {
		return fmt.Errorf("%w: %s: %w", errUsage, resultsFile, err)
	}
	if o.Trace != traceOf(p.Result) {
		return fmt.Errorf("%w: trace %s, and %s was recorded by version %s, commit %s",
			sim.ErrNotDeterministic, traceOf(p.Result), o.Trace, o.Version, o.Commit)
	}
	return nil
}
