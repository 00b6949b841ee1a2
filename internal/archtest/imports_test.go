package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/offhook/offhook"

// allow names, for each directory of internal/, what it may import besides
// itself. Each word is a directory of internal/ and stands for all below it,
// except "core", which is the package core alone. Inside core the packages have
// an order of their own. Siblings never import each other: cmd/offhook joins
// them, and an interface is declared by the package that calls it.
var allow = map[string]string{
	"core":          "",
	"core/call":     "core",
	"core/ring":     "core core/route",
	"core/flow":     "core core/route",
	"core/route":    "core",
	"core/exchange": "core core/call core/ring core/flow core/route",

	"engine": "core core/route core/exchange",
	"media":  "core core/route",
	"sip":    "core core/route source",
	"speech": "core core/route media",
	"store":  "core core/route",
	"events": "core core/route outage",
	"config": "core core/route",
	"auth":   "core core/route source",
	"obs":    "core core/route",
	"sounds": "core core/route media outward", // of media only the file formats

	"outward": "",
	"outage":  "",
	"source":  "",

	"sipedge": "core core/route media sip source",
	"rtcedge": "core core/route media sip source",
	"wsedge":  "core core/route media sip outward",

	"loopedge": "core media",

	"api":     "core core/route core/flow webhook source", // flow: what applications ask for
	"web":     "core core/route source",
	"webhook": "core outward outage",
	"record":  "core core/route media",

	// phone is a client of any exchange, demo a network of such phones.
	"phone": "core media sip",
	"demo":  "core core/route media sip phone",

	// archtest reads imports, testkit is for tests only; see testsOnly.
	"archtest": "",
	"testkit":  "core core/route media sip",
}

// TestDependencyDirection shows that nobody imports what allow does not name.
func TestDependencyDirection(t *testing.T) {
	for _, p := range packages(t) {
		from, ours := area(p.path)
		if !ours {
			continue // cmd, tools and test/... may import everything
		}
		may, listed := allow[from]
		if !listed {
			t.Errorf("internal/%s has no entry in allow: say what it may import", from)
			continue
		}
		for _, imp := range p.imports {
			to, ours := area(imp)
			if ours && to != from && !slices.Contains(strings.Fields(may), to) {
				t.Errorf("%s imports %s; internal/%s may import only [%s]", p.path, imp, from, may)
			}
		}
	}
}

// TestTestHelpersStayInTests shows that the program does not contain testkit,
// and that only programs import cmd, tools or test, and only examples what examples
// share.
func TestTestHelpersStayInTests(t *testing.T) {
	for _, p := range packages(t) {
		for _, imp := range p.imports {
			rel, ours := strings.CutPrefix(imp, module+"/")
			if !ours || strings.HasPrefix(strings.TrimPrefix(p.path, module+"/"), "test/") {
				continue
			}
			top, _, _ := strings.Cut(rel, "/")
			shared := top == "examples" && strings.HasPrefix(p.path, module+"/examples/")
			if rel == "internal/testkit" || top != "internal" && !shared {
				t.Errorf("%s imports %s outside its tests", p.path, imp)
			}
		}
	}
}

// TestCoreIsPure shows that no package of the core can do I/O, wait or run
// beside its caller. The linter also refuses time.Now there.
func TestCoreIsPure(t *testing.T) {
	impure := []string{"net", "net/http", "os", "os/exec", "sync", "sync/atomic", "context", "syscall", "unsafe", "math/rand", "crypto/rand"}
	seen := 0
	for _, p := range packages(t) {
		if !strings.HasPrefix(p.path+"/", module+"/internal/core/") {
			continue
		}
		seen++
		for _, imp := range p.imports {
			if slices.Contains(impure, imp) {
				t.Errorf("%s imports %s", p.path, imp)
			}
			if dot := strings.Contains(strings.SplitN(imp, "/", 2)[0], "."); dot && !strings.HasPrefix(imp, module+"/") {
				t.Errorf("%s imports %s: the core uses the standard library only", p.path, imp)
			}
		}
	}
	if seen == 0 {
		t.Fatal("found no package of the core: did it move?")
	}
}

// pkg is one package of the module and what its non-test files import.
type pkg struct {
	path    string
	imports []string
}

// packages reads the import clauses of the whole module, whatever the build
// tags. It reads the files itself, because the go command repeats a cached
// result of this test until a file that the test opened has changed.
func packages(t *testing.T) []pkg {
	t.Helper()
	const root = "../.."
	imports := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name == "node_modules" || name == "testdata" || strings.HasPrefix(name, ".") && path != root):
			return fs.SkipDir
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		from := module + "/" + filepath.ToSlash(dir)
		for _, spec := range file.Imports {
			imports[from] = append(imports[from], strings.Trim(spec.Path.Value, `"`))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var list []pkg
	for _, path := range slices.Sorted(maps.Keys(imports)) {
		list = append(list, pkg{path, imports[path]})
	}
	return list
}

// area returns the directory below internal/ that path belongs to, two levels
// deep for the core, and whether path is below internal/ at all.
func area(path string) (string, bool) {
	rel, ours := strings.CutPrefix(path, module+"/internal/")
	if !ours {
		return "", false
	}
	top, rest, _ := strings.Cut(rel, "/")
	if top != "core" || rest == "" {
		return top, true
	}
	sub, _, _ := strings.Cut(rest, "/")
	return top + "/" + sub, true
}

func TestArea(t *testing.T) {
	for _, c := range []struct {
		path, want string
		ours       bool
	}{
		{module + "/internal/core", "core", true},
		{module + "/internal/core/route", "core/route", true},
		{module + "/internal/media/sdp", "media", true},
		{module + "/cmd/offhook", "", false},
		{"net/http", "", false},
	} {
		if got, ours := area(c.path); got != c.want || ours != c.ours {
			t.Errorf("area(%s) = %q, %v; want %q, %v", c.path, got, ours, c.want, c.ours)
		}
	}
}
