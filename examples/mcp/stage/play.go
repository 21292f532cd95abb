package stage

import (
	"context"
	"fmt"
	"math"
	"time"
)

// defaultLimit is how long a step may take that sets no limit of its own.
const defaultLimit = 20 * time.Second

// notPlayed is the detail of a step behind one that did not hold.
const notPlayed = "not played, because an earlier step did not hold"

// Act is a part of the story with a title and a word to the reader.
type Act struct {
	Title string
	Intro string
	Steps []Step
}

// Step is one thing that has to hold.
type Step struct {
	// Name says what holds, in a few words.
	Name string
	// Limit is how long the step may take; 20 seconds if zero.
	Limit time.Duration
	// Always lets the step be played also when an earlier one did not hold or the
	// story was interrupted.
	Always bool
	// Run plays the step. It returns in a few words what was found, and an error
	// when the step did not hold. say adds a line to the transcript.
	Run func(ctx context.Context, say Say) (detail string, err error)
}

// Say adds a line to the transcript, formatted as by fmt.Sprintf.
type Say func(format string, args ...any)

// Report is the outcome of a story.
type Report struct {
	// Held reports whether every step held.
	Held bool `json:"held"`
	// Steps are the outcomes in the order of the story.
	Steps []Outcome `json:"steps"`
}

// Outcome is what came of one step.
type Outcome struct {
	Name   string  `json:"name"`
	Held   bool    `json:"held"`
	Millis float64 `json:"ms"`
	Detail string  `json:"detail"`
}

// Play plays the acts in order and reports. It returns soon after ctx ends.
func Play(ctx context.Context, acts []Act, transcript *Transcript) Report {
	report := Report{Held: true, Steps: []Outcome{}}
	for i, act := range acts {
		opened := false
		for _, step := range act.Steps {
			outcome := Outcome{Name: step.Name, Detail: notPlayed}
			if report.Held || step.Always {
				if !opened {
					transcript.act(i+1, act)
					opened = true
				}
				transcript.begin(step)
				outcome = play(ctx, step, transcript.say)
				transcript.end(outcome)
			}
			report.Held = report.Held && outcome.Held
			report.Steps = append(report.Steps, outcome)
		}
	}
	return report
}

// play plays one step within its limit.
func play(ctx context.Context, step Step, say Say) Outcome {
	if step.Always {
		ctx = context.WithoutCancel(ctx)
	}
	limit := step.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it took longer than %v", limit))
	defer cancel()

	began := time.Now()
	detail, err := step.Run(ctx, say)
	if err != nil {
		detail = err.Error()
	}
	return Outcome{Name: step.Name, Held: err == nil, Millis: millis(time.Since(began)), Detail: detail}
}

// millis returns a duration in milliseconds with two digits behind the point.
func millis(d time.Duration) float64 {
	return math.Round(float64(d)/float64(10*time.Microsecond)) / 100
}
