package resolve

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Parse returns the built-in policy of that name, as configuration files and
// scenarios write it:
//
//	last-writer  first-writer  priority  majority  notify-all
//	random-exit  random-exit=SEED  random-notify  random-notify=SEED
//	prefer=N1,N2
//	exit(P)  notify(P)  keep(P)    where P is one of the above
//
// In seeds and in the entries of prefer the bytes up to the space, DEL and the
// characters % , ( ) # are written as %XX, in hexadecimal. Parse of the Name of
// a built-in policy returns an equal policy. Policies of Func, and those of other
// packages, have no text form.
//
// It returns ErrUnknownPolicy or ErrParameter, with the reason.
func Parse(name string) (Policy, error) {
	for _, loss := range []Loss{Exit, Notify, Keep} {
		inner, ok := strings.CutPrefix(name, loss.String()+"(")
		if !ok {
			continue
		}
		inner, ok = strings.CutSuffix(inner, ")")
		if !ok {
			return nil, fmt.Errorf("%w: %q has no closing parenthesis", ErrParameter, name)
		}
		p, err := parsePlain(inner)
		if err != nil {
			return nil, err
		}
		return WithLoss(p, loss), nil
	}
	return parsePlain(name)
}

// parsePlain parses a policy that has its own loss.
func parsePlain(name string) (Policy, error) {
	rule, parameter, given := strings.Cut(name, "=")
	switch rule {
	case "random-exit", "random-notify", "prefer":
		return parseParameter(rule, parameter, given)
	}
	p, ok := fixed(rule)
	if !ok {
		return nil, fmt.Errorf("%w: %q; there are last-writer, first-writer, random-exit, "+
			"random-notify, notify-all, priority, majority and prefer=NODE with more nodes after commas", ErrUnknownPolicy, name)
	}
	if given {
		return nil, fmt.Errorf("%w: %s takes none, but has %q", ErrParameter, rule, parameter)
	}
	return p, nil
}

// fixed returns the built-in policy of that name, if it is one without parameter.
func fixed(rule string) (Policy, bool) {
	switch rule {
	case "last-writer":
		return LastWriter(), true
	case "first-writer":
		return FirstWriter(), true
	case "priority":
		return Priority(), true
	case "majority":
		return Majority(), true
	case "notify-all":
		return NotifyAll(), true
	}
	return nil, false
}

// parseParameter parses a policy that may have a parameter or needs one.
func parseParameter(rule, parameter string, given bool) (Policy, error) {
	var parts []string
	if given {
		for part := range strings.SplitSeq(parameter, ",") {
			text, err := unescape(part)
			if err != nil {
				return nil, fmt.Errorf("%w: %s=%s: %w", ErrParameter, rule, parameter, err)
			}
			parts = append(parts, text)
		}
	}
	switch {
	case rule == "prefer" && given:
		return Prefer(parts...), nil
	case rule == "prefer":
		return nil, fmt.Errorf("%w: prefer needs nodes or labels, as in prefer=n1,n2", ErrParameter)
	case len(parts) > 1:
		return nil, fmt.Errorf("%w: %s=%s: a seed has no comma; write %%2C", ErrParameter, rule, parameter)
	}
	seed := strings.Join(parts, "")
	if rule == "random-exit" {
		return RandomExit(seed), nil
	}
	return RandomNotify(seed), nil
}

// escape returns s in the form that the name of a policy has it.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if reserved(s[i]) {
			fmt.Fprintf(&b, "%%%02X", s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// reserved reports whether c is escaped: it separates something in the name of
// a policy, or in the line of a scenario.
func reserved(c byte) bool {
	return c <= ' ' || c == 0x7f || strings.IndexByte("%,()#", c) >= 0
}

// unescape is the inverse of escape. It refuses what escape does not write, so
// that every policy has one name, and the empty text, which is a slip.
func unescape(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if len(s) < i+3 {
			return "", fmt.Errorf("%q ends within %%XX", s)
		}
		c, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			return "", fmt.Errorf("%q is not %%XX in hexadecimal", s[i:i+3])
		}
		b.WriteByte(byte(c))
		i += 2
	}
	if escape(b.String()) != s {
		return "", fmt.Errorf("%q is to be written as %q", s, escape(b.String()))
	}
	if s == "" {
		return "", errors.New("an entry is empty")
	}
	return b.String(), nil
}
