package check

import (
	"slices"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// Explanation says what a check demands at more length than its Text.
type Explanation struct {
	Check
	// Counts says what is held against what, and what is left out.
	Counts string
	// Unknown says what a history lacks in which the check has nothing to judge.
	Unknown string
}

// Explain returns the explanation of a check.
func Explain(name string) (e Explanation, ok bool) {
	all := All()
	i := slices.IndexFunc(all, func(c Check) bool { return c.Name == name })
	if i < 0 {
		return e, false
	}
	nothing := Run(&history.History{}, name).Results[0]
	return Explanation{all[i], counts()[name], nothing.Note}, true
}

// Words explains the words that the explanations use.
func Words() [][2]string {
	return [][2]string{
		{"believer", "a process that was told that it holds a name, from the ok of its register until it invokes " +
			"unregister, is told that it lost, or ends"},
		{"component", "nodes that are up and reach each other both ways, directly or through each other"},
		{"stretch", "a time in which a component stays as it is: no node comes or goes, no link changes, none is degraded"},
		{"due", "a component is due when it must agree: the bound after the stretch began, and the time to notice " +
			"a loss later where a node or a link was lost"},
		{"bound, detect, settle", "the times that the history's header declares"},
		{"touched", "a name or group is touched while an operation on it may have an effect, and when a process that " +
			"ever had it ends"},
		{"unknown", "the history had nothing for the check to judge, or too little; that is no fault, and no proof either"},
	}
}

// counts says of each check what is held against what, and what is left out.
func counts() map[string]string {
	all := map[string]string{}
	for _, part := range []map[string]string{viewCounts(), claimCounts(), otherCounts()} {
		for name, text := range part { // into a map, so in any order
			all[name] = text
		}
	}
	return all
}

func viewCounts() map[string]string {
	return map[string]string{
		"split-agreement": "In a component in which every two nodes are linked, once it is due, each view or look-up is held " +
			"against the latest of another node. What was touched within the bound before is left out.",
		"final-agreement": "Of each component that lasts to the end, every node must have been viewed after it was due, and all " +
			"must show the same. Where a link is degraded to the end no deadline runs: equal views count, different ones leave " +
			"the check unknown.",
		"core-agreement": "As final-agreement, for components that lack some node that ever ran, because it is dead, paused or " +
			"cut off for ever.",
		"relay": "As split-agreement, in components in which some two nodes have no direct link, so that others must hand " +
			"the news on.",
		"digest-honest": "Two views with one digest must show the same, whoever made them and whenever. Two views of one due " +
			"component that show the same must have one digest, once nobody has touched anything for the bound.",
		"no-lost-member": "A process whose join was answered with ok, that has invoked no leave and has not ended must be in " +
			"every view and list of its due component, from the bound after the join on.",
		"no-lost-name": "While a process believes that it holds a name, reads in its due component must show some process that " +
			"may be alive and a believer; which one is for other checks. Names that were touched within the bound are left out, " +
			"and, where the policy keeps all claims, contested ones.",
		"add-wins": "As no-lost-member and no-lost-name, for what a removal could wrongly have taken along: what a process " +
			"had given up before, and what was added within the bound of another process's removal.",
		"removes-only-observed": "An event that says unregistered, exited or gone needs a cause: the process gave it up, lost " +
			"it or ended by a second later. A process that lost a name to a re-registration must have been in reach of that " +
			"one's node, or of others that had seen its claim, at some time before.",
		"no-zombie": "What certainly ended must not be shown by a node that must know: the two nodes were together, due, for " +
			"the bound since, or the process's node is gone and the reader's component is due. From then on every read counts. " +
			"What a node may have forgotten meanwhile is excused.",
		"no-resurrection": "A node that has shown that it knows of an end, in an event or in a due read, must not show it " +
			"again, in any read or event. A later claim whose news may still be under way, and what the node forgot, are excused.",
		"out-of-reach": "In a due component no read may show a process of a node that is up and not in it. Processes of dead " +
			"nodes are for no-zombie.",
	}
}

func claimCounts() map[string]string {
	return map[string]string{
		"one-believer": "Two processes break it that both believe while the component of both is due and has had both claims " +
			"for the bound. Where the policy keeps all claims both may believe, but no read may show a holder then.",
		"no-flip-flop": "Of two reads of one node in one due stretch, the second must show the holder of the first, if that one " +
			"still believes and nobody touched the name from the bound before the first read to the end of the second.",
		"linearizable-register": "Where every two nodes are linked, from the settle time on, the arbitrated registrations of a " +
			"name must have an order in which each that succeeded found it free. A registration that asks nobody, optimistic or " +
			"a re-registration, ends what is judged; it begins anew when that one is settled. Two must have succeeded.",
		"fence-grows": "Under last-writer a registration in a due component must have a higher fence than all claims that had " +
			"stood there for the bound. Under any policy a read must show a holder with a fence that it was given.",
		"same-winner": "Every record of a loss or a conflict names a winner among its claims; no other record may say the " +
			"opposite of the same two claims, nor that of the same set of claims nobody won. Re-registrations that name no " +
			"winner are left out.",
		"right-winner": "The policy is applied again to the recorded claims. Births must be fences that the processes were " +
			"given, and no winner may be a claim that a rival's re-registration must have seen and replaced. A policy without " +
			"a text form leaves the check unknown.",
		"losers-told-once": "A process is told once for each claim of its own, by its own node, with claims among which its own " +
			"is, not after it gave the name up, and never that it lost to itself. Losers that others know of must be told within " +
			"the bound of a due component. Where all claims are kept each is told once of each rival.",
	}
}

func otherCounts() map[string]string {
	return map[string]string{
		"read-your-writes": "Reads of the node on which a process runs are held against what that process has: shown from its " +
			"ok on, not after it gave it up or was told of its loss, with the value that it wrote last. What overlaps the " +
			"read is left out.",
		"monotonic-reads": "Of one process in one name or group, one run of a node, and one watch, must not show a lower fence " +
			"than before, nor a value that was certainly replaced by the one it showed. What the node forgot between is excused.",
		"watch-complete": "The events of a watch are applied to its snapshot: the numbers must have no hole, each old value must " +
			"be what the watch had delivered, and a later snapshot what has come of it, unless it says that it missed some.",
		"available": "An operation that needs no other node must have a certain answer within a second, an arbitrated " +
			"registration within the header's claim time and a second. Nodes that were killed or paused meanwhile are left out. " +
			"To be refused is an answer; that nobody answered in time is one for arbitrated registrations alone.",
		"quiet": "While a component is due, an event about a name or group that nobody touched within the bound is a change " +
			"that nobody made.",
		"bounded-metadata": "What a node says it keeps, recorded while its component is due and nobody has touched anything for " +
			"the bound, is held against what may live: all in its component, and of nodes outside what they ever made.",
		"traffic-budget": "The header's budget is held against the sums of bytes that were recorded nearest to the last heal and " +
			"to the agreement of all components after it. It is broken only where the least that can have flowed is more.",
		"nothing-invented": "Every process, name, group and value in a read, an event, a loss or a refusal must have been in an " +
			"operation that was invoked before.",
		"no-duplicates": "No read shows one process in one group more than once.",
	}
}
