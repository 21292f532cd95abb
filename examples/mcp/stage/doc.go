// Package stage plays a story: acts of steps, each of which holds or does not.
// It prints a transcript for people and returns a report for programs.
//
// # Usage
//
//	transcript := stage.NewTranscript(os.Stdout, stage.Colour(os.Stdout))
//	report := stage.Play(ctx, acts, transcript)
//	transcript.Table(report)
//
// # Failure
//
// The first step that does not hold ends the story: the steps behind it stand in
// the report as not played, but for those marked Always, which clean up.
package stage
