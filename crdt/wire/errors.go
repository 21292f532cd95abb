package wire

import (
	"errors"
	"fmt"
)

var (
	// ErrMalformed is returned by all Decode functions and Unmarshal for input that
	// no encoder of this package writes: truncated, trailing, of another type, not
	// in its shortest form, out of order. Nothing of the input may be used.
	ErrMalformed = errors.New("wire: malformed input")
	// ErrTooLarge is returned by Decode functions for input beyond a limit, and by
	// Encode functions for a value beyond one. An Encode function may have written
	// a part of the value by then, which must be thrown away.
	ErrTooLarge = errors.New("wire: beyond a size limit")
	// ErrInvalid is returned by Encode functions for a value that names nothing,
	// such as a dot of the zero Replica, and that no decoder would accept. A part
	// of the value may have been written by then, which must be thrown away.
	ErrInvalid = errors.New("wire: value is not valid")
)

// malformed wraps the error of a read. An error that says already what is wrong
// with the input keeps its kind.
func malformed(what string, err error) error {
	if errors.Is(err, ErrMalformed) || errors.Is(err, ErrTooLarge) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrMalformed, what, err)
}

func tooLarge(what string, n, limit int) error {
	return fmt.Errorf("%w: %s: %d, at most %d", ErrTooLarge, what, n, limit)
}
