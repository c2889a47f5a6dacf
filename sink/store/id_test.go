package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"
)

func TestName(t *testing.T) {
	for id, want := range map[string]string{
		sinktest.ID:         sinktest.ID,
		"1234567899":        "1234567899",
		"1-12877@127.0.0.1": "1-12877_40127.0.0.1",
		"call-2":            "call_2d2",
		"call-2-3":          "call-2_2d3",
		sinktest.ID + "-2":  sinktest.ID + "_2d2",
		"../../etc/passwd":  "_2e._2f.._2fetc_2fpasswd",
		".":                 "_2e",
		"-rf":               "_2drf",
		"aB_c":              "a_42_5fc",
		"50%":               "50_25",
		"ö":                 "_c3_b6",
	} {
		if got := store.Name(id); got != want || !store.IsName(got) || store.CheckID(id) != nil {
			t.Errorf("Name(%q) = %q, want %q; CheckID: %v", id, got, want, store.CheckID(id))
		}
	}
}

// No two calls share a name, on a disk that does not tell capitals apart either, nor is one's
// second name another's first; and none is longer than a file system permits.
func FuzzName(f *testing.F) {
	ids := []string{"a", "A", "_41", "a-2", "a_2d2", ".a", "_2ea", strings.Repeat("a", 128), strings.Repeat("A", 256), strings.Repeat("A", 255) + "a", sinktest.ID, "a__b", "x-1/y"}
	for _, a := range ids {
		for _, b := range ids {
			f.Add(a, b)
		}
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if store.CheckID(a) != nil || store.CheckID(b) != nil {
			return
		}
		name, other := store.Name(a), store.Name(b)
		if a != b && (strings.EqualFold(name, other) || strings.HasPrefix(name, other+"-") && strings.Trim(name[len(other)+1:], "0123456789") == "" && name != other+"-") {
			t.Errorf("%q and %q have names %q and %q", a, b, name, other)
		}
		if len(name+"-1000.json.part") > 143 || !store.IsName(name) || filepath.Base(name) != name {
			t.Errorf("%q has the name %q", a, name)
		}
	})
}

// What a crash left of a call is recovered, whatever its ID is.
func TestRecoverAnyID(t *testing.T) {
	for _, id := range []string{sinktest.ID + ".7", "1-12877@127.0.0.1", "call-2", "../../etc/passwd", strings.Repeat("F", 256)} {
		t.Run(id[:6], func(t *testing.T) {
			dir := t.TempDir()
			pcm := sinktest.Speech(1, 8000)
			first, second := sinktest.Crashed(t, dir, id, pcm), sinktest.Crashed(t, dir, id, pcm)
			if want := filepath.Join(dir, time.Now().UTC().Format(time.DateOnly), store.Name(id)); first != want || second != want+"-2" {
				t.Errorf("files %s and %s, want %s", first, second, want)
			}
			if rec := recoverDir(t, dir); rec.Published() != 2 {
				t.Errorf("%v", rec.Files)
			}
			for _, base := range []string{first, second} {
				record := sinktest.ReadRecord(t, base+".json")
				raw, err := os.ReadFile(filepath.Join(dir, record.WAV))
				if record.Call != id || err != nil || !bytes.HasSuffix(raw, pcm) {
					t.Errorf("record of %q names %s: %v", record.Call, record.WAV, err)
				}
			}
		})
	}
}

// An ID that only begins with a UUID is another call's: without its sidecar nobody knows it.
func TestRecoverKnowsNoUUIDWithMore(t *testing.T) {
	for _, more := range []string{".7", "-2.7", ".wav"} {
		dir := t.TempDir()
		base := sinktest.Crashed(t, dir, sinktest.ID+more, sinktest.Speech(1, 800))
		removing(".json.part")(t, base)
		if rec := recoverDir(t, dir); rec.Left() != 1 || !sinktest.Exists(base+".wav.part") {
			t.Errorf("%s: %v", more, rec.Files)
		}
	}
}
