package resolve

import "errors"

var (
	// ErrUnknownPolicy is returned by Parse for a name that is not that of a
	// built-in policy. The text says which there are.
	ErrUnknownPolicy = errors.New("resolve: unknown policy")
	// ErrParameter is returned by Parse for a built-in policy whose parameter is
	// missing, malformed or not wanted. The text says which.
	ErrParameter = errors.New("resolve: bad parameter of a policy")
)
