// Package sightings is what programs share that are measured beside rollcall:
// names that are spread one after the other, and a note of when each was seen.
package sightings
