// Package propertytest holds the laws of this library, and of the source itself.
//
// # Testing
//
// The tidy test reads the source and holds the style that can be checked: which
// package may import which, what the pure packages may not touch, sizes, and
// comments.
package propertytest
