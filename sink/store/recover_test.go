package store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
)

func recoverDir(t *testing.T, dir string) store.Recovery {
	t.Helper()
	rec, err := store.New(dir, store.OSDisk{}).Recover(context.Background(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestRecover(t *testing.T) {
	pcm := sinktest.Speech(1, 8000)
	for name, c := range map[string]struct {
		damage func(t *testing.T, base string)
		action string
		bytes  int // of audio in the end, -1 if there is no WAV
		known  bool
	}{
		"as it was":  {func(*testing.T, string) {}, store.ActionPublished, 16000, true},
		"no sidecar": {removing(".json.part"), store.ActionPublished, 16000, false},
		"half a sidecar": {func(t *testing.T, base string) {
			truncate(t, base+".json.part", 40)
		}, store.ActionPublished, 16000, false},
		"audio beyond the header's sizes": {func(t *testing.T, base string) {
			change(t, base+".wav.part", func(b []byte) []byte { return append(b, pcm[:1601]...) })
		}, store.ActionPublished, 17600, true},
		"cut in the audio": {func(t *testing.T, base string) {
			truncate(t, base+".wav.part", 4001)
		}, store.ActionPublished, -2, true},
		"sizes of zero": {func(t *testing.T, base string) {
			change(t, base+".wav.part", func(b []byte) []byte { clear(b[4:8]); return b })
		}, store.ActionPublished, 16000, true},
		"a header of zeros": {func(t *testing.T, base string) {
			change(t, base+".wav.part", func(b []byte) []byte { clear(b[:len(b)-len(pcm)]); return b })
		}, store.ActionPublished, 16000, true},
		"something else": {func(t *testing.T, base string) {
			change(t, base+".wav.part", func([]byte) []byte { return []byte(strings.Repeat("no wave\n", 100)) })
		}, store.ActionLeft, -1, true},
		"empty": {func(t *testing.T, base string) { truncate(t, base+".wav.part", 0) }, store.ActionPublished, 0, true},
		"empty, no sidecar": {func(t *testing.T, base string) {
			truncate(t, base+".wav.part", 0)
			removing(".json.part")(t, base)
		}, store.ActionLeft, -1, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			base := sinktest.Crashed(t, dir, sinktest.ID, pcm)
			c.damage(t, base)
			written := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC) // for the last time, by the call
			if err := os.Chtimes(base+".wav.part", written, written); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(base + ".wav.part")
			rec := recoverDir(t, dir)
			if len(rec.Files) == 0 || rec.Files[0].Action != c.action {
				t.Fatalf("recovery %+v, want %s", rec, c.action)
			}
			if c.action == store.ActionLeft {
				after, err := os.ReadFile(base + ".wav.part")
				if err != nil || !bytes.Equal(before, after) {
					t.Errorf("the file has changed: %v", err)
				}
				return
			}
			got, _ := sinktest.ReadWAV(t, base+".wav")
			if c.bytes >= 0 && len(got) != c.bytes || !bytes.HasPrefix(append(pcm, pcm...), got) {
				t.Errorf("%d bytes of audio, want %d", len(got), c.bytes)
			}
			record := sinktest.ReadRecord(t, base+".json")
			sum := sha256.Sum256(got)
			if !record.Recovered || record.Result != "aborted" || record.Call != sinktest.ID ||
				record.AudioSHA256 != hex.EncodeToString(sum[:]) || record.AudioMS != int64(len(got)/16) {
				t.Errorf("record %+v", record)
			}
			if !record.Ended.Equal(written) {
				t.Errorf("ended %v, want %v", record.Ended, written)
			}
			if (record.Caller == "1001") != c.known {
				t.Errorf("caller %q", record.Caller)
			}
			if again := recoverDir(t, dir); len(again.Files) != 0 {
				t.Errorf("a second recovery found %+v", again)
			}
		})
	}
}

func removing(ext string) func(*testing.T, string) {
	return func(t *testing.T, base string) {
		if err := os.Remove(base + ext); err != nil {
			t.Fatal(err)
		}
	}
}

func truncate(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

func change(t *testing.T, path string, f func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, f(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A crash between any two steps of the publication loses nothing and doubles nothing.
func TestRecoverBetweenTheStepsOfPublication(t *testing.T) {
	pcm := sinktest.Speech(1, 800)
	link := func(t *testing.T, from, to string) {
		if err := os.Link(from, to); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		crash func(t *testing.T, base string)
		want  []string // extensions in the end
	}{
		"linked, not removed": {func(t *testing.T, base string) {
			link(t, base+".wav.part", base+".wav")
		}, []string{".json", ".wav"}},
		"WAV published": {func(t *testing.T, base string) {
			link(t, base+".wav.part", base+".wav")
			removing(".wav.part")(t, base)
		}, []string{".json", ".wav"}},
		"record half written": {func(t *testing.T, base string) {
			link(t, base+".wav.part", base+".wav")
			removing(".wav.part")(t, base)
			change(t, base+".json.part", func(b []byte) []byte {
				if err := os.WriteFile(base+".json.new", b[:20], 0o600); err != nil {
					t.Fatal(err)
				}
				return b
			})
		}, []string{".json", ".wav"}},
		"record published": {func(t *testing.T, base string) {
			link(t, base+".wav.part", base+".wav")
			removing(".wav.part")(t, base)
			link(t, base+".json.part", base+".json")
		}, []string{".json", ".wav"}},
		"no WAV at all": {removing(".wav.part"), []string{".json"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			base := sinktest.Crashed(t, dir, sinktest.ID, pcm)
			c.crash(t, base)
			recoverDir(t, dir)
			if diff := cmp.Diff(c.want, extensions(t, base)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			sinktest.ReadRecord(t, base+".json")
		})
	}
}

// extensions returns those of the files that a call has.
func extensions(t *testing.T, base string) []string {
	t.Helper()
	files, err := os.ReadDir(filepath.Dir(base))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range files {
		all = append(all, strings.TrimPrefix(f.Name(), sinktest.ID))
	}
	return all
}

func TestRecoveredString(t *testing.T) {
	dir := t.TempDir()
	base := sinktest.Crashed(t, dir, sinktest.ID, sinktest.Speech(1, 49920))
	day := filepath.Base(filepath.Dir(base))
	name := day + "/" + sinktest.ID
	d := &sinktest.BadDisk{Match: ".json", Step: "rename", Err: errors.New("no space")}
	rec, err := store.New(dir, d).Recover(context.Background(), zap.NewNop())
	if err != nil || len(rec.Files) == 0 {
		t.Fatalf("%v, %v", rec, err)
	}
	first := rec.Files[0]
	if got := first.String(); first.Action != store.ActionNoRecord || rec.Left() != 1 ||
		!strings.HasPrefix(got, name+".wav.part: published without its record as "+name+".wav, 6.24 s: ") {
		t.Errorf("%d left, %s", rec.Left(), got)
	}
	for want, f := range map[string]store.Recovered{
		name + ".wav.part: published as " + name + ".wav, 6.24 s": {
			Part: base + ".wav.part", Action: store.ActionPublished, WAV: base + ".wav", Audio: 6240 * time.Millisecond,
		},
		name + ".wav.part: left as it is: no WAV":           {Part: base + ".wav.part", Action: store.ActionLeft, Err: errors.New("no WAV")},
		name + ".wav.part: belongs to a running tapdeck":    {Part: base + ".wav.part", Action: store.ActionLive},
		name + ".json.part: published as " + name + ".json": {Part: base + ".json.part", Action: store.ActionPublished, Record: base + ".json"},
		name + ".json.part: removed, nothing in it was new": {Part: base + ".json.part", Action: store.ActionRemoved},
	} {
		if got := f.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if rec := recoverDir(t, dir); rec.Published() != 1 { // and later the record
		t.Errorf("%v", rec)
	}
	sinktest.ReadRecord(t, base+".json")
}
