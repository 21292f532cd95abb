package main

// largeMutants are faults in what large clusters and large nodes need.
func largeMutants() []mutant {
	return []mutant{
		{"tree-not-passed-on", "what comes along the tree is not passed on", []edit{{
			"registry/replica/tree.go",
			"\t\tm.sendEager(o, bytes.Clone(m.frame), p.id) // the caller's memory ends with Step\n",
			"\t\t_ = bytes.Clone(m.frame)\n",
		}}},
		{"tree-never-pruned", "links of the tree that bring duplicates stay eager", []edit{{
			"registry/replica/tree.go",
			"(m.tree.Has(o.via) || o.via.Run == o.run) && m.tree.Prune(&o.tree, p.id) {",
			"o.self && m.tree.Prune(&o.tree, p.id) {",
		}}},
		{"tree-prunes-one-end", "a pruned link stays eager at its other end", []edit{{
			"registry/replica/tree.go",
			"\t\tm.send(p, Urgent, m.enc.tree(treeMsg{o.id, false}))\n",
			"",
		}}},
		{"tree-not-spoken-of", "neighbors behind lazy links hear nothing", []edit{{
			"registry/replica/tree.go",
			"if o.up && m.tree.IsLazy(&o.tree, to) {",
			"if o.up && !m.tree.IsLazy(&o.tree, to) {",
		}}},
		{"tree-not-mended", "what lazy links speak of is not fetched", []edit{{
			"registry/replica/tree.go",
			"\t\tcase m.now.Mono-x.at < graftAfter:\n",
			"\t\tcase m.now.Mono-x.at < 1000*graftAfter:\n",
		}}},
		{"tree-passes-the-callers-memory", "a frame is passed on in the caller's memory", []edit{{
			"registry/replica/tree.go",
			"m.sendEager(o, bytes.Clone(m.frame), p.id)",
			"m.sendEager(o, m.frame, p.id)",
		}, {
			"registry/replica/tree.go",
			"import (\n\t\"bytes\"\n",
			"import (\n",
		}}},
		{"walk-skips", "long work leaves an entry out where it goes on", []edit{{
			"registry/replica/walk.go",
			"\t\tif n == m.walkStep {\n\t\t\treturn\n",
			"\t\tif n == m.walkStep {\n\t\t\tw.at++\n\t\t\treturn\n",
		}}},
		{"walk-not-aligned", "a name is used that long work has yet to come to", []edit{{
			"registry/replica/walk.go",
			"\tif len(m.walks) == 0 {\n\t\treturn\n\t}\n",
			"\tif len(m.walks) == 0 || true {\n\t\treturn\n\t}\n",
		}}},
		{"walk-forgets-to-forget", "an incarnation that is forgotten is hidden only", []edit{{
			"registry/replica/walk.go",
			"\tcase w.forget:\n",
			"\tcase w.forget && e.kind == Group:\n",
		}}},
		{"claims-after-the-first", "of the claims in a frame one is answered", []edit{{
			"registry/replica/arbiter.go",
			"\tfor i, c := range claims {\n",
			"\tfor i, c := range claims[:1] {\n",
		}}},
		{"claimant-of-another-node", "a home takes a claim for a process of its own", []edit{{
			"registry/replica/arbiter.go",
			"\t\tc.Holder.Node = p.id.Node\n\t\ta := ",
			"\t\tc.Holder.Node = m.self.id.Node\n\t\ta := ",
		}}},
		{"owed-for-ever", "an answer that nobody waits for is sent", []edit{{
			"registry/replica/compare.go",
			"\t\tif p.owed && m.now.Mono-p.owedAt > int64(compareWait) {\n",
			"\t\tif p.owed && m.now.Mono-p.owedAt > 1000*int64(compareWait) {\n",
		}}},
	}
}
