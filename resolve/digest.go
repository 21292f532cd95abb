package resolve

// digest is the state of a 64-bit hash that is the same on every machine, in
// every process and in every release: nodes compare its results, so
// hash/maphash, which is seeded per process, cannot serve. The bytes of texts go
// in as in FNV-1a (Fowler, Noll, Vo), numbers as whole words, and the end is
// mixed as in MurmurHash3 (Appleby), so that the high bits, which decide the
// order of two sums, depend on every bit that went in.
type digest uint64

const digestPrime = 0x100000001b3

// newDigest returns the digest of nothing.
func newDigest() digest { return 0xcbf29ce484222325 }

// text returns the digest with s added. The length goes in first, so that
// "ab", "c" and "a", "bc" differ.
func (d digest) text(s string) digest {
	d = d.word(uint64(len(s)))
	for i := range len(s) {
		d = (d ^ digest(s[i])) * digestPrime
	}
	return d
}

// word returns the digest with x added.
func (d digest) word(x uint64) digest {
	d = (d ^ digest(x)) * digestPrime
	return d ^ d>>32
}

// sum returns the hash of all that was added.
func (d digest) sum() uint64 {
	h := uint64(d)
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
