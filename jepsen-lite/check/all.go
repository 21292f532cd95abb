package check

// All returns the checks, in the order in which a Report has them.
func All() []Check {
	var all []Check
	for _, part := range [][]Check{
		agreement(), presence(), absence(), beliefs(), conflicts(), sessions(), service(), costs(), sanity(),
	} {
		all = append(all, part...)
	}
	return all
}

func agreement() []Check {
	return []Check{
		{Name: "split-agreement", run: splitAgreement,
			Text: "Nodes that reach each other directly show the same after the bound, also while the network is split."},
		{Name: "final-agreement", run: finalAgreement, Needed: true,
			Text: "At the end, nodes that reach each other, directly or not, show the same."},
		{Name: "core-agreement", run: coreAgreement,
			Text: "Nodes that reach each other at the end show the same, though others are dead or cut off for ever."},
		{Name: "relay", run: relay,
			Text: "Nodes that are connected only through others, as by a bridge, a ring or a line, show the same after the bound."},
		{Name: "digest-honest", run: digestHonest,
			Text: "Views with equal digests are equal, and settled views that are equal have equal digests."},
	}
}

func presence() []Check {
	return []Check{
		{Name: "no-lost-member", run: noLostMember,
			Text: "A process that joined a group and has not left is shown as its member throughout its component after the bound."},
		{Name: "no-lost-name", run: noLostName,
			Text: "While a live process believes that it holds a name, look-ups in its component find a live believer after the bound."},
		{Name: "add-wins", run: addWins,
			Text: "A registration or a join that a removal had not observed survives it, and so does one that came after it."},
		{Name: "removes-only-observed", run: removesOnlyObserved,
			Text: "What nobody removed is not removed, and a re-registration replaces only claims that its node can have seen."},
	}
}

func absence() []Check {
	return []Check{
		{Name: "no-zombie", run: noZombie,
			Text: "What was unregistered or left, or whose process ended, is shown nowhere in its component after the bound, ever."},
		{Name: "no-resurrection", run: noResurrection,
			Text: "What has ended and is gone from a node's view never returns to it, in a read or an event."},
		{Name: "out-of-reach", run: outOfReach,
			Text: "After the bound no node shows a process of a node outside its component."},
	}
}

func beliefs() []Check {
	return []Check{
		{Name: "one-believer", run: oneBeliever,
			Text: "After the bound at most one process in a component believes that it holds a name; under a policy that keeps all claims, a contested name shows no holder."},
		{Name: "no-flip-flop", run: noFlipFlop,
			Text: "After the bound the holder of a name changes only when it gives the name up, ends, or is challenged."},
		{Name: "linearizable-register", run: linearizable,
			Text: "While the membership of a component is stable, its arbitrated registrations of a name are those of a lock."},
		{Name: "fence-grows", run: fenceGrows,
			Text: "Under last-writer the fences of a name grow from claim to claim, and every look-up shows the fence that was given."},
	}
}

func conflicts() []Check {
	return []Check{
		{Name: "same-winner", run: sameWinner,
			Text: "Of two claims to a name that were in conflict, all nodes name the same one as the winner."},
		{Name: "right-winner", run: rightWinner,
			Text: "The winner of a conflict is the one that the policy demands of the recorded claims, and none that a rival's re-registration had replaced."},
		{Name: "losers-told-once", run: losersToldOnce,
			Text: "Exactly the losers of a conflict are told, once, by their own node; where all claims are kept, once for each rival."},
	}
}

func sessions() []Check {
	return []Check{
		{Name: "read-your-writes", run: readYourWrites,
			Text: "A node shows at once what its own processes have registered, changed and removed."},
		{Name: "monotonic-reads", run: monotonicReads,
			Text: "On one run of a node, and on one watch, what is shown of a process never goes back to an older value or fence."},
		{Name: "watch-complete", run: watchComplete,
			Text: "The snapshot of a watch and its events give its later snapshots: no number is missing, no change is silent, every old value matches."},
	}
}

func service() []Check {
	return []Check{
		{Name: "available", run: available,
			Text: "Local operations and optimistic registrations are answered at once on nodes that run, whatever the faults; arbitrated ones within their limit."},
		{Name: "quiet", run: quiet,
			Text: "After the bound no node reports a change that nobody made."},
	}
}

func costs() []Check {
	return []Check{
		{Name: "bounded-metadata", run: boundedMetadata,
			Text: "When all is quiet, a node keeps no more entries than live, and nothing out of order."},
		{Name: "traffic-budget", run: trafficBudget,
			Text: "From the last heal to agreement no more bytes flow than the budget."},
	}
}

func sanity() []Check {
	return []Check{
		{Name: "nothing-invented", run: nothingInvented,
			Text: "Every holder, member and value that was ever shown or told of was asked for before."},
		{Name: "no-duplicates", run: noDuplicates,
			Text: "No process is shown twice in one group."},
	}
}
