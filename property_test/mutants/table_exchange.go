package main

// exchangeMutants are faults in how nodes tell each other what they have.
func exchangeMutants() []mutant {
	return []mutant{
		{"snapshot-speaks-for-others", "a snapshot reaches one number beyond what its sender has seen", []edit{{
			"registry/replica/sync.go",
			"lo: lo, hi: upto, version: o.log.Version(), done: true}, items))",
			"lo: lo, hi: upto + 1, version: o.log.Version() + 1, done: true}, items))",
		}}},
		{"no-anti-entropy", "nodes compare when they meet and never again", []edit{{
			"registry/replica/sync.go",
			"\tif chosen != nil {\n",
			"\tif chosen != nil && m.left {\n",
		}}},
		{"equal-versions-trusted", "at equal versions the fingerprints are not compared", []edit{{
			"registry/replica/sync.go",
			"case pos.sum != o.log.Sum():",
			"case pos.sum != o.log.Sum() && m.left:",
		}}},
		{"fetch-skips-removals", "a fetch brings what is new and not what was removed", []edit{{
			"registry/replica/sync.go",
			"sum != q.sum {",
			"sum != q.sum && m.left {",
		}}},
		{"gap-applied", "a delta beyond a gap is applied as a snapshot of all before it", []edit{{
			"registry/replica/spread.go",
			"\t\tm.count.Gaps++\n",
			"\t\tm.count.Gaps++\n\t\to.log.Extend(o.log.Version(), d.first()-1, nil)\n\t\tm.applyRecords(o, d.records)\n",
		}}},
		{"coverage-without-payload", "a record that adds to a name that is held counts as seen and is not stored", []edit{{
			"registry/replica/spread.go",
			"\t\tremoved, ok := o.log.Apply(r)\n",
			"\t\tif _, held := m.cfg.Table.Load(keyOf(r)); held && r.Adds && len(r.Removed) == 0 {\n\t\t\tr.Adds = false\n\t\t}\n\t\tremoved, ok := o.log.Apply(r)\n",
		}, {
			"registry/replica/spread.go",
			"// applyRecord brings",
			"func keyOf(r crdt.Record[*Entry]) string {\n\tif r.Adds && r.Elem.kind == Name {\n\t\treturn r.Elem.key\n\t}\n\treturn \"\"\n}\n\n// applyRecord brings",
		}}},
	}
}

// statementMutants are faults in what nodes say and believe about what was removed.
func statementMutants() []mutant {
	return []mutant{
		{"lists-beyond-version", "a node calls missing what lies above its own version", []edit{{
			"registry/replica/reconcile.go",
			"if q.hi > o.log.Version() || q.hi > r.version {",
			"if q.hi > r.version {",
		}, {
			"crdt/owned_log.go",
			"\tif seq <= l.version {\n\t\treturn append(seqs, seq)\n\t}\n\treturn seqs\n",
			"\treturn append(seqs, seq)\n",
		}}},
		{"drops-beyond-version", "a list of drops is applied beyond its sender's version", []edit{{
			"registry/replica/reconcile.go",
			"if seq <= d.version && seq <= o.log.Version() {",
			"if seq <= o.log.Version() {",
		}}},
		{"old-gone-before-new", "a repair takes the old form of an entry away before the new one is here", []edit{{
			"registry/replica/reconcile.go",
			"\tif version = max(version, o.asOf); version > o.log.Version() {\n",
			"\tif version > o.log.Version() && m.left {\n",
		}}},
		{"owner-drops-its-own", "an owner lets others remove what it holds", []edit{{
			"registry/replica/reconcile.go",
			"if o.self || len(seqs) == 0 {",
			"if len(seqs) == 0 {",
		}}},
		{"stamps-not-observed", "the machine's clock ignores the stamps that it receives", []edit{{
			"registry/replica/spread.go",
			"_ = m.clock.Observe(m.now, e.birth)",
			"_ = e.birth",
		}}},
		{"mixed-policies", "nodes with different policies decide together", []edit{{
			"registry/replica/peer.go",
			"if h.Version != wireVersion || h.Policy != m.PolicyPrint() {",
			"if h.Version != wireVersion {",
		}}},
	}
}

// homeMutants are faults in the arbitration of names.
func homeMutants() []mutant {
	return []mutant{
		{"grant-forgotten", "a home does not keep the name that it granted", []edit{{
			"registry/replica/arbiter.go",
			"\tm.reservations[name] = reservation{holder, m.now.Mono + int64(m.cfg.Reserve)}\n",
			"",
		}}},
		{"grant-for-ever", "a home keeps a granted name for a claimant that never comes", []edit{{
			"registry/replica/arbiter.go",
			"return ok && r.holder != holder && m.now.Mono < r.until",
			"return ok && r.holder != holder",
		}, {
			"registry/replica/arbiter.go",
			"if m.now.Mono >= r.until {",
			"if m.now.Mono >= r.until && m.left {",
		}}},
		{"home-skipped", "a claimant does not ask the name's home", []edit{{
			"registry/replica/claims.go",
			"if c.Optimistic || m.soleHome()",
			"if c.Name != \"\" || m.soleHome()",
		}}},
		{"everybody-is-home", "a node answers claims of names whose home it is not", []edit{{
			"registry/replica/arbiter.go",
			"if !final && !slices.ContainsFunc",
			"if m.left && !slices.ContainsFunc",
		}, {
			"registry/replica/home.go",
			"if w := mix(name ^ h.seed); !ok || w > top {",
			"if w := mix(name ^ h.seed); !ok || h.self && !best.self || w > top && !best.self {",
		}}},
		{"joining-node-answers", "a node that has not finished its first sync serves", []edit{{
			"registry/replica/machine.go",
			"serving:      !cfg.Joins,",
			"serving:      true,",
		}}},
		{"old-home-not-asked", "after a change of membership the new home alone is asked", []edit{{
			"registry/replica/home.go",
			"\tfor _, v := range m.views {\n\t\tif best, ok := homeIn(v.homes, h); ok && m.mayAsk",
			"\tfor _, v := range m.views[max(0, len(m.views)-1):] {\n\t\tif best, ok := homeIn(v.homes, h); ok && m.mayAsk",
		}}},
		{"late-claimant", "a claimant uses a grant that its home keeps no longer", []edit{{
			"registry/replica/claims.go",
			"if m.now.Mono-p.firstAt > int64(m.cfg.Reserve)*9/10 {",
			"if m.now.Mono-p.firstAt > int64(m.cfg.Reserve)*90 {",
		}}},
		{"half-is-a-majority", "half of the cluster counts as a majority", []edit{{
			"registry/replica/claims.go",
			"2*m.Reached() <= m.cfg.Expected {",
			"2*m.Reached() < m.cfg.Expected {",
		}}},
	}
}
