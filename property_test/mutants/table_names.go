package main

// nameMutants are faults in how claims to a name are settled.
func nameMutants() []mutant {
	return []mutant{
		{"update-restamps", "an update gives the claim a new birth", []edit{{
			"registry/replica/names.go",
			"\tn.value = value\n",
			"\tn.value, n.birth = value, m.stamp()\n",
		}}},
		{"loser-told-again", "a loser is told for every claim that beats it", []edit{{
			"registry/replica/names.go",
			"\tif e.doomed {\n\t\treturn\n\t}\n",
			"",
		}, {
			"registry/replica/names.go",
			"if c.origin.up && !c.doomed {",
			"if c.origin.up {",
		}}},
		{"loser-not-withdrawn", "a loser is told, and its claim stays", []edit{{
			"registry/replica/names.go",
			"\t\t\tm.remove(entries, why)\n",
			"\t\t\tcontinue\n",
		}}},
		{"winner-withdrawn", "the winner's node withdraws, the loser's does not", []edit{{
			"registry/replica/names.go",
			"if i != v.Winner && e.local() {",
			"if i == v.Winner && e.local() {",
		}}},
		{"holder-stays-on-tie", "of two claims with equal births the one that is shown stays", []edit{{
			"registry/replica/names.go",
			"\t\twinner := standing[v.Winner]\n",
			"\t\tfor i, e := range standing {\n\t\t\tif shown, ok := m.cfg.Table.Load(name); ok && shown == e && e.birth == standing[v.Winner].birth {\n\t\t\t\tv.Winner = i\n\t\t\t}\n\t\t}\n\t\twinner := standing[v.Winner]\n",
		}}},
		{"superseded-ignored", "what a Reregister supersedes still counts as a claim", []edit{{
			"registry/replica/names.go",
			"return o != c && o.supersedes(c)",
			"return o != c && o.supersedes(c) && m.left",
		}}},
		{"supersedes-unseen", "a Reregister supersedes the claims that are hidden", []edit{{
			"registry/replica/claims.go",
			"} else if e.origin.up {\n\t\t\tover",
			"} else {\n\t\t\tover",
		}}},
		{"settle-without-visibility", "a hidden claim wins and evicts", []edit{{
			"registry/replica/names.go",
			"if c.origin.up && !c.doomed {",
			"if !c.doomed {",
		}}},
		{"failed-policy-keeps", "a policy that fails leaves the claims standing", []edit{{
			"registry/replica/names.go",
			"\t\t\tif e.local() {\n\t\t\t\tm.doom(e, Loss{Reason: PolicyFailed",
			"\t\t\tif e.local() && m.left {\n\t\t\t\tm.doom(e, Loss{Reason: PolicyFailed",
		}}},
	}
}

// entryMutants are faults in what is known of claims and members.
func entryMutants() []mutant {
	return []mutant{
		{"rivals-told-again", "claimants of a contested name are told again of the same rivals", []edit{{
			"registry/replica/names.go",
			"if cs.told[i] == own && cs.told[i+1] == rival {",
			"if cs.told[i] == own && cs.told[i+1] == own {",
		}}},
		{"earlier-claim-stays", "an owner's earlier claim to a name stays beside its later one", []edit{{
			"registry/replica/names.go",
			"case c == old || c.origin == e.origin:",
			"case c == old:",
		}}},
		{"seen-not-recorded", "a claim does not say how many nodes its node reached", []edit{{
			"registry/replica/claims.go",
			"seen: uint32(m.Reached()),",
			"seen: 1,",
		}}},
		{"exit-leaves-entries", "a process that ends leaves one of its entries behind", []edit{{
			"registry/replica/process.go",
			"\tif len(p.entries) > 0 {\n\t\treturn true\n",
			"\tif len(p.entries) > 1 {\n\t\treturn true\n",
		}, {
			"registry/replica/process.go",
			"\tm.remove(p.entries[max(0, len(p.entries)-maxRemoved):], Exited)\n",
			"\tm.remove(p.entries[max(min(1, len(p.entries)), len(p.entries)-maxRemoved):], Exited)\n",
		}}},
		{"member-counted-twice", "a member that is given a new value is counted again", []edit{{
			"registry/replica/groups.go",
			"\t\told.shown, change.Old = false, old\n\t\tg.shown--\n",
			"\t\told.shown, change.Old = false, old\n",
		}}},
		{"hidden-members-shown", "members of a group stay shown when their node is gone", []edit{{
			"registry/replica/groups.go",
			"\tfor _, e := range g.members { // sorted below, so in any order\n\t\tif e.shown {",
			"\tfor _, e := range g.members { // sorted below, so in any order\n\t\tif e.origin.log != nil {",
		}}},
	}
}

// originMutants are faults in what is known of other incarnations.
func originMutants() []mutant {
	return []mutant{
		{"floors-ignored", "an incarnation that is over is taken in again", []edit{{
			"registry/replica/origin.go",
			"if id.Epoch < m.floors[id.Node].epoch {",
			"if id.Epoch < m.floors[id.Node].epoch && m.left {",
		}}},
		{"epoch-reused", "a restart whose clock went back keeps its low epoch", []edit{{
			"registry/replica/origin.go",
			"\tif epoch > m.self.id.Epoch {\n",
			"\tif epoch > m.self.id.Epoch && m.rebirths > 0 {\n",
		}}},
		{"stale-epoch-applied", "records of an earlier incarnation are applied to the present one", []edit{{
			"registry/replica/origin.go",
			"if id.Epoch < m.floors[id.Node].epoch {",
			"if id.Epoch < m.floors[id.Node].epoch && m.left {",
		}, {
			"registry/replica/origin.go",
			"\tif o != nil && o.id == id {\n\t\tif o.gated",
			"\tif o != nil && o.id.Epoch >= id.Epoch {\n\t\tif o.gated",
		}}},
		{"down-is-removal", "the entries of a node that is down are removed", []edit{{
			"registry/replica/origin.go",
			"\t\tm.setUp(o, false, why)\n",
			"\t\tm.setUp(o, false, why)\n\t\tvar gone []uint64\n\t\tfor it := range o.log.All() {\n\t\t\tgone = append(gone, it.Seq)\n\t\t}\n\t\tm.dropRemoved(o, gone, 0)\n",
		}}},
		{"hide-is-spread", "a node tells its peers to drop what it hides", []edit{{
			"registry/replica/origin.go",
			"\t\tm.setUp(o, false, why)\n",
			"\t\tm.setUp(o, false, why)\n\t\tvar gone []uint64\n\t\tfor it := range o.log.All() {\n\t\t\tgone = append(gone, it.Seq)\n\t\t}\n\t\tfor _, p := range m.peers {\n\t\t\tif len(gone) > 0 {\n\t\t\t\tm.send(p, Bulk, m.enc.drops(dropsMsg{id: o.id, version: o.log.Version(), seqs: gone}))\n\t\t\t}\n\t\t}\n",
		}}},
		{"gate-missing", "what is said of a node that is down is still taken in", []edit{{
			"registry/replica/origin.go",
			"\t\tif o.gated {\n\t\t\treturn nil\n\t\t}\n",
			"",
		}}},
	}
}

// returnMutants are faults in what comes of incarnations that come back, or do not.
func returnMutants() []mutant {
	return []mutant{
		{"up-not-shown", "a node that is up again stays hidden", []edit{{
			"registry/replica/origin.go",
			"\t\tm.setUp(o, true, NodeUp)\n",
			"\t\to.up = true\n",
		}}},
		{"up-again-is-new", "a node that is up again loses what it had before", []edit{{
			"registry/replica/origin.go",
			"\t\tm.setUp(o, true, NodeUp)\n",
			"\t\tm.setUp(o, true, NodeUp)\n\t\tvar gone []uint64\n\t\tfor it := range o.log.All() {\n\t\t\tgone = append(gone, it.Seq)\n\t\t}\n\t\tm.dropRemoved(o, gone, 0)\n",
		}}},
		{"forget-keeps-context", "forgetting drops the entries and keeps the version", []edit{{
			"registry/replica/origin.go",
			"int64(m.cfg.ForgetAfter) {\n\t\t\tm.forget(o, NodeDown)\n",
			"int64(m.cfg.ForgetAfter) {\n\t\t\tvar gone []uint64\n\t\t\tfor it := range o.log.All() {\n\t\t\t\tgone = append(gone, it.Seq)\n\t\t\t}\n\t\t\tm.dropRemoved(o, gone, 0)\n",
		}}},
		{"forget-keeps-live", "forgetting drops the version and keeps the entries", []edit{{
			"registry/replica/origin.go",
			"\tm.startWalk(o, true, why)\n",
			"\tm.startWalk(o, false, why)\n",
		}}},
		{"forget-never", "a node that is gone for good is never forgotten", []edit{{
			"registry/replica/origin.go",
			"if !o.up && !o.self && m.now.Mono-o.since",
			"if !o.up && o.self && m.now.Mono-o.since",
		}}},
		{"left-not-buried", "a node that left is only hidden", []edit{{
			"registry/replica/peer.go",
			"\tif left {\n\t\tm.bury(p)\n\t}\n",
			"",
		}}},
		{"left-comes-back", "a node that left is buried without a floor and comes back by hearsay", []edit{{
			"registry/replica/peer.go",
			"\tm.floors[p.id.Node] = floor{o.id.Epoch + 1, m.now.Mono}\n",
			"",
		}}},
		{"rebirth-is-a-bid", "claims that are carried to a new epoch get new births", []edit{{
			"registry/replica/origin.go",
			"\tn.origin, n.seq = m.self, m.self.log.Version()+1\n",
			"\tn.origin, n.seq = m.self, m.self.log.Version()+1\n\tn.birth = m.stamp()\n",
		}}},
	}
}
