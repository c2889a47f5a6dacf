package controller_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module  = "tapdeck"
	library = "github.com/fiorix/go-eventsocket"
	root    = ".."
)

// goFile is a file of the module, with the packages that it imports.
type goFile struct {
	dir     string // relative to the module's root, with slashes
	name    string
	test    bool
	doc     *ast.CommentGroup
	imports []string
}

// goFiles parses every Go file of the module.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	var all []goFile
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && name != root && (strings.HasPrefix(name, ".") || name == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		f := goFile{dir: filepath.ToSlash(dir), name: d.Name(), test: strings.HasSuffix(path, "_test.go"), doc: file.Doc}
		for _, i := range file.Imports {
			f.imports = append(f.imports, strings.Trim(i.Path.Value, `"`))
		}
		all = append(all, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// within says whether a package is dir or below it.
func within(pkg, dir string) bool { return pkg == dir || strings.HasPrefix(pkg, dir+"/") }

// ours returns the package of the module that an import names, or "".
func ours(path string) string {
	if !within(path, module) {
		return ""
	}
	return strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
}

// Imports point one way, so that each part can be understood, tested and
// replaced without the others.
func TestImportsPointOneWay(t *testing.T) {
	files := goFiles(t)
	if len(files) < 50 {
		t.Fatalf("only %d files were found below %s", len(files), root)
	}
	for _, f := range files {
		for _, path := range f.imports {
			if reason := forbidden(f, path); reason != "" {
				t.Errorf("%s/%s imports %s: %s", f.dir, f.name, path, reason)
			}
		}
	}
}

// forbidden says why a file may not import a package, or nothing.
func forbidden(f goFile, path string) string {
	pkg := ours(path)
	switch {
	case within(path, library) && f.dir != "controller/esl/internal/fio":
		return "only controller/esl/internal/fio knows the library, which ends the process on input that it does not know"
	case pkg == "":
		return ""
	case within(f.dir, "controller") && !within(pkg, "controller"):
		return "controller needs only what is below it; it meets the sink in cmd"
	case within(f.dir, "sink") && !within(pkg, "sink") && pkg != "wav":
		return "sink needs only what is below it, and wav; it meets the controller in cmd"
	case f.dir == "sink/track" && pkg != "sink/track" && pkg != "wav" && !f.test:
		return "a recording's audio knows nothing of directories and sockets"
	case f.dir == "sink/store" && pkg == "sink":
		return "the directory knows nothing of sockets"
	case f.dir == "wav" || f.dir == "dialplan":
		if pkg != f.dir {
			return f.dir + " needs nothing of the module"
		}
	case within(f.dir, "controller/switchsim") && !within(pkg, "controller/switchsim"):
		return "a simulated switch that shared code with what it tests would share its errors"
	case within(f.dir, "controller/esl") && !within(pkg, "controller/esl") && !f.test:
		return "the event socket knows nothing of calls"
	case f.dir == "controller/flow" && pkg != f.dir && pkg != "controller/dialer":
		return "a step knows of the call what flow.Channel says, and nothing else"
	case f.dir == "controller/dialer" && pkg != f.dir && !f.test:
		return "whom we dial, and what is said there, is the matter of others"
	case f.dir == "controller/pcm" && pkg != f.dir:
		return "audio's arithmetic needs nothing of the module"
	case f.dir == "controller/player" && pkg != f.dir && pkg != "controller/pcm":
		return "what a caller hears knows of the switch what player.Switch says, and nothing of bots"
	case f.dir == "controller/esl/internal/frame" && pkg != f.dir && pkg != "controller/esl/internal/frametest":
		return "frames are read the same whichever library works with them"
	case within(pkg, "controller/switchsim") && within(f.dir, "controller") && !within(f.dir, "controller/switchsim") && !f.test:
		return "only tests need a simulated switch"
	case !within(f.dir, "cmd") && within(pkg, "cmd"):
		return "only commands import commands"
	}
	return ""
}

func TestForbiddenImportsAreFound(t *testing.T) {
	for _, c := range []struct {
		dir, path string
		test, bad bool
	}{
		{"controller", "tapdeck/sink", false, true},
		{"controller", "tapdeck/sink", true, true},
		{"sink", "tapdeck/controller/esl", true, true},
		{"sink", "tapdeck/wav", false, false},
		{"sink", "tapdeck/dialplan", false, true},
		{"sink", "tapdeck/sink/store", false, false},
		{"sink/store", "tapdeck/sink", false, true},
		{"sink/store", "tapdeck/sink/track", false, false},
		{"sink/track", "tapdeck/sink/store", false, true},
		{"sink/track", "tapdeck/wav", false, false},
		{"wav", "tapdeck/sink", true, true},
		{"wav", "os", false, false},
		{"controller", library + "/eventsocket", true, true},
		{"controller/esl", library + "/eventsocket", false, true},
		{"controller/esl", library + "/eventsocket", true, true},
		{"controller/esl/internal/frame", library + "/eventsocket", false, true},
		{"controller/esl/internal/frame", "tapdeck/controller/esl/internal/fio", true, true},
		{"controller/esl/internal/fio", "tapdeck/controller/esl/internal/frame", false, false},
		{"controller/esl", "tapdeck/controller", false, true},
		{"controller/flow", "tapdeck/sink", false, true},
		{"controller/flow", "tapdeck/controller", true, true},
		{"controller/flow", "tapdeck/controller/esl", false, true},
		{"controller", "tapdeck/controller/flow", false, false},
		{"controller/player", "tapdeck/controller/pcm", false, false},
		{"controller/player", "tapdeck/controller/esl", false, true},
		{"controller/pcm", "tapdeck/controller/player", true, true},
		{"controller/flow", "tapdeck/controller/dialer", false, false},
		{"controller/agent", "tapdeck/controller/dialer", false, false},
		{"controller/dialer", "tapdeck/controller/agent", false, true},
		{"sink", "tapdeck/sink/store", false, false},
		{"sink/store", "tapdeck/wav", false, false},
		{"sink/store", "tapdeck/controller", false, true},
		{"dialplan", "tapdeck/wav", false, true},
		{"controller/switchsim", "tapdeck/controller/switchsim", true, false},
		{"cmd/tapdeck", library + "/eventsocket", false, true},
		{"controller/esl/internal/fio", library + "/eventsocket", false, false},
		{"controller/switchsim", "tapdeck/controller/esl", true, true},
		{"controller/switchsim/audiostream", "tapdeck/wav", false, true},
		{"controller/switchsim", "tapdeck/controller/switchsim/audiostream", false, false},
		{"controller", "tapdeck/controller/switchsim", true, false},
		{"controller", "tapdeck/controller/switchsim", false, true},
		{"dialplan", "tapdeck/cmd/internal/config", false, true},
		{"cmd/tapdeck", "tapdeck/controller", false, false},
	} {
		if got := forbidden(goFile{dir: c.dir, test: c.test}, c.path) != ""; got != c.bad {
			t.Errorf("import of %s in %s is forbidden: %v, want %v", c.path, c.dir, got, c.bad)
		}
	}
}

// Every package begins with what it owns.
func TestEveryPackageHasADoc(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range goFiles(t) {
		if !f.test {
			documented[f.dir] = documented[f.dir] || f.doc != nil && len(f.doc.Text()) > 40
		}
	}
	for dir, has := range documented {
		if !has {
			t.Errorf("package %s has no doc", dir)
		}
	}
}

// The top level holds the packages, and nothing else that would need explaining.
func TestTopLevel(t *testing.T) {
	allowed := []string{"README.md", "cmd", "controller", "dialplan", "go.mod", "go.sum", "sink", "wav"}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		built := info.Mode().IsRegular() && info.Mode()&0o111 != 0 // by go build
		if !built && !strings.HasPrefix(e.Name(), ".") && !slices.Contains(allowed, e.Name()) {
			t.Errorf("%s does not belong at the top level", e.Name())
		}
	}
}
