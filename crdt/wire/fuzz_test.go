package wire

import (
	"encoding/hex"
	"strings"
	"testing"
)

// fuzzKind fuzzes the decoder of one kind: any input is refused, or is the one
// encoding of what it decodes to; nothing panics.
func fuzzKind(f *testing.F, name string, seeds ...string) {
	for _, s := range seeds {
		data, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, k := range kinds() {
		if k.name == name {
			f.Fuzz(func(t *testing.T, data []byte) { requireRefusedOrCanonical(t, k, data) })
			return
		}
	}
	f.Fatalf("there is no kind %q", name)
}

func FuzzUint(f *testing.F) {
	fuzzKind(f, "uint", "00", "cc80", "cd0100", "ce00010000", "cf0000000100000000")
}

func FuzzString(f *testing.F) { fuzzKind(f, "string", "a0", "a161", "d920"+strings.Repeat("61", 32)) }

func FuzzStamp(f *testing.F) { fuzzKind(f, "stamp", "00", "cf8000000000000000") }

func FuzzReplica(f *testing.F) { fuzzKind(f, "replica", "92a16101") }

func FuzzDot(f *testing.F) { fuzzKind(f, "dot", "93 a162 cd012c 07") }

func FuzzContext(f *testing.F) {
	fuzzKind(f, "context", "90", "92 97a161 01 05 0100 0002 95 a162 cd012c 00 0200")
}

func FuzzDelta(f *testing.F) {
	fuzzKind(f, "delta", "9290 90",
		"92 92 97a161 01 05 0100 0002 95 a162 cd012c 00 0200 92 95 00 08a178 02a179 93 01 04a17a")
}

func FuzzRegister(f *testing.F) { fuzzKind(f, "register", "90", "95 ce00010002 a161 01 09 a176") }

func FuzzTallies(f *testing.F) { fuzzKind(f, "tallies", "90", "91 94 a161 01 05 00") }
