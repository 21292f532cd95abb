package propertytest

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
	"github.com/rollcall-dev/rollcall/resolve/resolvetest"
)

func TestLawsORSet(t *testing.T)    { Laws(t, orsetType()) }
func TestLawsOwned(t *testing.T)    { Laws(t, ownedType()) }
func TestLawsRegister(t *testing.T) { Laws(t, registerType()) }
func TestLawsCounter(t *testing.T)  { Laws(t, counterType()) }

func FuzzLawsORSet(f *testing.F) { f.Fuzz(rapid.MakeFuzz(LawsProperty(orsetType()))) }
func FuzzLawsOwned(f *testing.F) { f.Fuzz(rapid.MakeFuzz(LawsProperty(ownedType()))) }

func TestLawsOfBuiltInPolicies(t *testing.T) {
	for _, p := range []resolve.Policy{
		resolve.LastWriter(), resolve.FirstWriter(), resolve.RandomExit("s"), resolve.RandomNotify(""), resolve.Priority(),
		resolve.Majority(), resolve.Prefer("n1", "zone-b"), resolve.NotifyAll(), resolve.WithLoss(resolve.Priority(), resolve.Notify),
	} {
		for _, v := range resolvetest.Check(p) {
			require.Fail(t, "a built-in policy breaks a law", v.Error())
		}
	}
}

// TestLawsLogStatements lets readers of one owner's log tell each other what they
// have, in statements that come in any order and not at all, and wants that no
// live item is ever lost and none that was removed comes back.
func TestLawsLogStatements(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		owner := crdt.NewLog[string](replicaOf("o"), crdt.Key{1})
		readers := []*crdt.Log[string]{owner}
		for range 3 {
			readers = append(readers, crdt.NewLog[string](replicaOf("o"), crdt.Key{1}))
		}
		var records []crdt.Record[string]
		pick := func(n int, what string) int { return fair(t, n, what) }
		for range 20 + pick(60, "steps") {
			from, to := readers[pick(len(readers), "from")], readers[1+pick(len(readers)-1, "to")]
			switch k := pick(10, "kind"); {
			case k < 3:
				var gone []uint64
				for it := range owner.All() {
					if pick(4, "gone") == 0 {
						gone = append(gone, it.Seq)
					}
				}
				records = append(records, owner.Append(gone, pick(3, "adds") > 0, fmt.Sprint(len(records)), 0))
			case k < 6 && len(records) > 0:
				to.Apply(records[pick(len(records), "record")])
			case k < 9:
				hi := uint64(pick(int(from.Version())+1, "hi"))
				lo := uint64(pick(int(hi)+1, "lo"))
				to.Extend(lo, hi, slices.Collect(from.Range(lo, hi)))
			default:
				tellDifference(from, to)
			}
			requireHonest(t, records, to)
		}
		for _, r := range readers[1:] {
			r.Extend(0, owner.Version(), slices.Collect(owner.All()))
			require.Equal(t, owner.Digest(), r.Digest())
		}
	})
}

// tellDifference reconciles what two readers have of the numbers that both cover.
func tellDifference(from, to *crdt.Log[string]) {
	var seqs []uint64
	hi := min(from.Version(), to.Version())
	for it := range from.Range(0, hi) {
		seqs = append(seqs, it.Seq)
	}
	extra, missing := to.Compare(0, hi, seqs)
	for _, seq := range extra {
		to.Drop(seq)
	}
	for _, seq := range missing {
		from.Drop(seq)
	}
}

// requireHonest holds a reader against the owner's records: what lives for the
// owner up to the reader's version lives for the reader, and what it shows was
// added.
func requireHonest(t *rapid.T, records []crdt.Record[string], r *crdt.Log[string]) {
	live, gone := map[uint64]bool{}, map[uint64]bool{}
	for _, rec := range records {
		for _, seq := range rec.Removed {
			gone[seq] = true
		}
		if rec.Adds && rec.Seq <= r.Version() {
			live[rec.Seq] = true
		}
	}
	sum := 0
	for it := range r.All() {
		require.True(t, live[it.Seq], "number %d is shown and was never added", it.Seq)
		sum++
	}
	require.Equal(t, sum, r.Len())
	for _, seq := range slices.Sorted(maps.Keys(live)) {
		_, shown := r.Get(seq)
		require.True(t, shown || gone[seq], "number %d lives and was lost", seq)
	}
}

// wrong is a data type with a fault, and the law that must notice.
type wrong struct {
	name  string
	check func() []*Finding
	law   string
}

func wrongTypes() []wrong {
	return []wrong{
		{"removal forgets", func() []*Finding { return CheckLaws(forgetfulSet()) }, "Inflationary"},
		{"removal resurrects", func() []*Finding { return CheckLaws(forgetfulSet()) }, "ModelEqual"},
		{"tie is open", func() []*Finding { return CheckLaws(tiedRegister()) }, "Commutative"},
		{"counter adds up", func() []*Finding { return CheckLaws(addingCounter()) }, "Idempotent"},
		{"gaps are folded", func() []*Finding { return CheckLaws(foldingSet()) }, "DeltaReorder"},
		{"delta says too much", func() []*Finding { return CheckLaws(wideSet()) }, "FullVsDelta"},
		{"states share", func() []*Finding { return CheckLaws(sharingSet()) }, "NoAliasing"},
		{"codec loses", func() []*Finding { return CheckLaws(lossyCodec()) }, "CodecRoundTrip"},
		{"decoder panics", func() []*Finding { return CheckLaws(lossyCodec()) }, "DecodeGarbage"},
	}
}

// A wrong type is caught in seconds, by the law that it breaks, with a history
// that a person can follow.
func TestWrongTypesAreCaught(t *testing.T) {
	for _, w := range wrongTypes() {
		t.Run(w.name, func(t *testing.T) {
			begun := time.Now()
			found := w.check()
			require.Less(t, time.Since(begun), 20*time.Second)
			var laws []string
			for _, f := range found {
				laws = append(laws, f.Law)
				require.LessOrEqual(t, len(f.Story), 10, f.Error())
				if f.Law == w.law {
					t.Log(f.Error())
				}
			}
			require.Contains(t, laws, w.law)
		})
	}
}

func TestTypeThatLacksAFunctionIsNamed(t *testing.T) {
	ty := orsetType()
	ty.Merge = nil
	found := CheckLaws(ty)
	require.Len(t, found, 1)
	require.Contains(t, found[0].Error(), "Type.Merge is nil")
}
