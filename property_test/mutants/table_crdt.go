package main

// allMutants returns every planted fault.
func allMutants() []mutant {
	var all []mutant
	for _, part := range [][]mutant{
		crdtMutants(), resolveMutants(), nameMutants(), entryMutants(), originMutants(), returnMutants(), exchangeMutants(), largeMutants(),
		statementMutants(), homeMutants(),
	} {
		all = append(all, part...)
	}
	return all
}

// crdtMutants are faults of the data types.
func crdtMutants() []mutant {
	return []mutant{
		{"removal-covers-unseen", "a removal also covers earlier dots that the remover has not seen", []edit{{
			"crdt/orset.go",
			"\t\td.seen.Add(dot)\n\t\tdelete(s.elements, dot)",
			"\t\td.seen.AddRange(dot.Replica, 1, dot.Seq)\n\t\tdelete(s.elements, dot)",
		}}},
		{"delta-whole-context", "a delta carries its sender's whole context", []edit{{
			"crdt/orset.go",
			"\td.seen.Add(dot)\n\td.live = []Addition[E]",
			"\td.seen = s.seen.Clone()\n\td.live = []Addition[E]",
		}}},
		{"context-folds-gaps", "a gap in a context is folded with max", []edit{{
			"crdt/context.go",
			"if lo <= s.prefix+1 {\n\t\ts.prefix = hi",
			"if lo >= 1 {\n\t\ts.prefix = hi",
		}}},
		{"join-takes-seen", "an addition is taken although its dot was seen", []edit{{
			"crdt/orset.go",
			"if !s.seen.Has(a.Dot) {",
			"if _, live := s.elements[a.Dot]; !live {",
		}}},
		{"log-applies-gap", "a record that leaves a gap is applied", []edit{{
			"crdt/owned_log.go",
			"if r.Seq != l.version+1 {",
			"if r.Seq <= l.version {",
		}}},
		{"log-keeps-absent", "what a state does not list stays", []edit{{
			"crdt/owned_log.go",
			"\tif lo < covered {",
			"\tif lo < covered && len(items) == 0 {",
		}}},
		{"log-beyond-statement", "a statement about a range is applied beyond a gap", []edit{{
			"crdt/owned_log.go",
			"if lo > l.version || hi < lo {",
			"if hi < lo {",
		}}},
		{"log-print-keeps-removed", "the fingerprint keeps what was removed", []edit{{
			"crdt/owned_log.go",
			"\tch.sum -= h\n\tl.sum -= h\n",
			"\tch.sum -= h\n",
		}}},
		{"register-first-arrival", "of two assignments with equal stamps the first to arrive stays", []edit{{
			"crdt/lww.go",
			"\treturn r.Dot.Compare(o.Dot)",
			"\treturn 0",
		}}},
		{"counter-last-tally", "of two tallies the last to arrive is kept, not the higher", []edit{{
			"crdt/counter.go",
			"if t.Up <= mine.Up && t.Down <= mine.Down {",
			"if t.Up == mine.Up && t.Down == mine.Down {",
		}, {
			"crdt/counter.go",
			"mine.Up, mine.Down = max(mine.Up, t.Up), max(mine.Down, t.Down)",
			"mine.Up, mine.Down = t.Up, t.Down",
		}}},
		{"clock-forgets-observed", "the clock does not move past a stamp that it observed", []edit{{
			"crdt/hlc.go",
			"\tc.last = max(c.last, s)\n",
			"\tc.last = max(c.last, s>>63)\n",
		}}},
		{"clock-follows-steps", "a step of the wall clock reaches the stamps", []edit{{
			"crdt/hlc.go",
			"\tc.shift += moved\n",
			"",
		}}},
	}
}

// resolveMutants are faults of the policies and of the judge.
func resolveMutants() []mutant {
	return []mutant{
		{"tie-undecided", "the policy has no tie-break for equal births", []edit{{
			"resolve/builtin.go",
			"\treturn a.Born.Compare(b.Born)",
			"\treturn 0",
		}}},
		{"tie-by-newest-dot", "equal births are told apart by the dot that an update changes", []edit{{
			"resolve/builtin.go",
			"\treturn a.Born.Compare(b.Born)",
			"\treturn a.Dot.Compare(b.Dot)",
		}}},
		{"random-ignores-name", "the random policy lets one claimant win every name", []edit{{
			"resolve/random.go",
			"d := r.key.text(c.Name).text(c.Born.Replica.Node)",
			"d := r.key.text(c.Born.Replica.Node)",
		}}},
		{"judge-in-arrival-order", "claims are judged in the order in which they came", []edit{{
			"resolve/judge.go",
			"if len(order) > 1 {",
			"if len(order) > roomy {",
		}}},
		{"judge-oldest-version", "of two versions of a claim the older counts", []edit{{
			"resolve/judge.go",
			"if c := claims[k].Dot.Compare(claims[i].Dot); c != 0 {",
			"if c := claims[i].Dot.Compare(claims[k].Dot); c != 0 {",
		}}},
		{"judge-believes-policy", "a policy that contradicts itself is believed", []edit{{
			"resolve/judge.go",
			"\tif fault := t.contradiction(w, l, there, back); fault != \"\" {",
			"\tif fault := t.contradiction(w, l, there, back); fault != \"\" && t.left < 0 {",
		}}},
	}
}
