package scenarios

import (
	"embed"
	"strings"
)

// File is one netsplit story.
type File struct {
	// Name is the name of the file without its ending, and of the scenario.
	Name string
	// Text is what the file says.
	Text string
}

//go:embed *.netsplit
var files embed.FS

// All returns the files in the order of their names.
func All() []File {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic("scenarios: the embedded folder cannot be listed: " + err.Error())
	}
	all := make([]File, 0, len(entries))
	for _, e := range entries {
		text, err := files.ReadFile(e.Name())
		if err != nil {
			panic("scenarios: an embedded file cannot be read: " + err.Error())
		}
		all = append(all, File{strings.TrimSuffix(e.Name(), ".netsplit"), string(text)})
	}
	return all
}
