package resolve

import (
	"cmp"
	"slices"
	"strings"
)

// prefer is the order of Prefer.
//
// Invariant: wanted has at least one entry, none of them empty, no two equal.
type prefer struct {
	wanted []string
	name   string
}

// Prefer lets the claim win whose node comes first in nodesOrLabels, by the name
// of the node (Holder.Node) or by its label, whichever comes earlier. Claims of
// the same place, and claims of nodes that are not in the list, are ordered as
// LastWriter does; any node in the list beats any that is not.
//
// Empty entries and repetitions say nothing and are left out; Prefer of nothing
// is LastWriter. The list belongs to the policy: nodes with different lists
// refuse each other. The name is "prefer=" and the entries, separated by commas;
// see Parse for the characters that are escaped. The loss is Exit.
func Prefer(nodesOrLabels ...string) Policy {
	var wanted, names []string
	for _, w := range nodesOrLabels {
		if w != "" && !slices.Contains(wanted, w) {
			wanted = append(wanted, w)
			names = append(names, escape(w))
		}
	}
	if len(wanted) == 0 {
		return LastWriter()
	}
	return prefer{wanted: wanted, name: "prefer=" + strings.Join(names, ",")}
}

func (p prefer) Name() string { return p.name }

func (p prefer) Compare(a, b Claim) int {
	if c := cmp.Compare(p.place(&b), p.place(&a)); c != 0 {
		return c
	}
	return compareWriters(&a, &b)
}

func (p prefer) Loss() Loss { return Exit }

func (p prefer) trusted() bool { return true }

// place returns where c's node stands in the list; the end of the list if it is
// not in it.
func (p prefer) place(c *Claim) int {
	for i, w := range p.wanted {
		if c.Holder.Node == w || c.Label == w {
			return i
		}
	}
	return len(p.wanted)
}
