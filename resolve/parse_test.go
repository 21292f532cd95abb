package resolve_test

import (
	"testing"

	"github.com/rollcall-dev/rollcall/resolve"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for _, p := range builtins() {
		parsed, err := resolve.Parse(p.Name())
		require.NoError(t, err)
		require.Equal(t, p, parsed)
	}
	cases := []struct {
		name string
		want resolve.Policy
	}{
		{"random-exit=7", resolve.RandomExit("7")},
		{"prefer=n1", resolve.Prefer("n1")},
		{"prefer=a%2Cb,c", resolve.Prefer("a,b", "c")},
		{"prefer=a=b", resolve.Prefer("a=b")},
		{"notify(prefer=n1,n2)", resolve.WithLoss(resolve.Prefer("n1", "n2"), resolve.Notify)},
		{"exit(last-writer)", resolve.LastWriter()},
	}
	for _, x := range cases {
		p, err := resolve.Parse(x.name)
		require.NoError(t, err)
		require.Equal(t, x.want, p)
	}
}

func TestParseErrors(t *testing.T) {
	unknown, parameter := resolve.ErrUnknownPolicy, resolve.ErrParameter
	cases := []struct {
		name string
		want error
		text string
	}{
		{"", unknown, `""; there are last-writer`},
		{"lastwriter", unknown, `"lastwriter"; there are last-writer`},
		{"Last-Writer", unknown, `there are`},
		{"notify(notify(last-writer))", unknown, `"notify(last-writer)"`},
		{"notify(last-writer", parameter, "closing parenthesis"},
		{"last-writer=1", parameter, `last-writer takes none, but has "1"`},
		{"prefer", parameter, "prefer needs nodes or labels"},
		{"prefer=", parameter, "an entry is empty"},
		{"prefer=n1,,n2", parameter, "an entry is empty"},
		{"prefer=n 1", parameter, `"n 1" is to be written as "n%201"`},
		{"prefer=n%2c", parameter, `"n%2c" is to be written as "n%2C"`},
		{"prefer=%zz", parameter, `"%zz" is not %XX`},
		{"prefer=%4", parameter, `"%4" ends within %XX`},
		{"prefer=%41", parameter, `"%41" is to be written as "A"`},
		{"random-exit=", parameter, "an entry is empty"},
		{"random-exit=a,b", parameter, "write %2C"},
	}
	for _, x := range cases {
		p, err := resolve.Parse(x.name)
		require.ErrorIs(t, err, x.want, x.name)
		require.ErrorContains(t, err, x.text)
		require.Nil(t, p)
	}
}

func FuzzParse(f *testing.F) {
	for _, p := range builtins() {
		f.Add(p.Name())
	}
	f.Add("prefer=%")
	f.Add("keep(keep(")
	f.Fuzz(func(t *testing.T, name string) {
		p, err := resolve.Parse(name)
		if err != nil {
			require.Nil(t, p)
			return
		}
		again, err := resolve.Parse(p.Name())
		require.NoError(t, err)
		require.Equal(t, p, again)
		require.True(t, resolve.Trusted(p))
	})
}
