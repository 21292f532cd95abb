package resolve

// RulesVersion is the version of the built-in orders. It is raised whenever one
// of them changes for some claims, or Judge does, so that nodes of the two
// releases refuse each other instead of naming different winners.
const RulesVersion = 1

// Fingerprint returns a number that stands for the rule of p: its Name, its Loss
// and the RulesVersion. It is the same on every node and in every process. Nodes
// advertise it, and nodes with different fingerprints refuse each other.
//
// A policy of a user's never has the fingerprint of a built-in one, whatever its
// name. Two policies of users' with one name and one loss have the same
// fingerprint, whatever they do: a changed rule needs a new name. A nil policy
// stands for LastWriter.
func Fingerprint(p Policy) uint64 {
	p = orDefault(p)
	origin := "user"
	if Trusted(p) {
		origin = "built-in"
	}
	return newDigest().word(RulesVersion).text(origin).word(uint64(p.Loss())).text(p.Name()).sum()
}
