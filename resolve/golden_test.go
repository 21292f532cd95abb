package resolve_test

// goldenChoices says for 64 pairs of claims which of the two RandomExit("") lets
// win.
const goldenChoices = "ababbabababaabbaababaaaaababaabbbbbbabbbabbaaababaaaabaaaabababb"

// goldenFingerprints returns the fingerprints of the policies of builtins under
// RulesVersion 1.
func goldenFingerprints() map[string]string {
	return map[string]string{
		"exit(notify-all)":    "8b0463bd72a903c5",
		"first-writer":        "71d16c59ae9ec463",
		"keep(prefer=eu)":     "a2c0bfdac1590732",
		"last-writer":         "10ddf1560ffcbf2c",
		"majority":            "aab5a206b959ebfc",
		"notify(last-writer)": "6f52980a63d41ba2",
		"notify-all":          "8be1179bd4a84c2c",
		"prefer=n2,eu,n1":     "47a9703d7e3bd5e3",
		"priority":            "c89cdf3cc85995a9",
		"random-exit":         "aad4c62525febcf6",
		"random-exit=a%20seed%2C%20of%20some%20%28length%29": "92044b64e8bf5c33",
		"random-notify":   "f6ff8b2813f98c49",
		"random-notify=7": "9bb7536dc93bb3ce",
	}
}
