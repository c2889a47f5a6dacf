package store_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"
	"tapdeck/wav"
)

// transcribed is a running call on a disk: 1 s of audio, 40 segments that the sidecar knows, as far as it has
// room, and 100 in the record that is to come.
func transcribed(t *testing.T, disk store.Disk) (part *store.Part, base string, record store.Record) {
	t.Helper()
	part, base, record = running(t, disk)
	w, err := wav.NewWriter(part, wav.Format{SampleRate: 8000, Channels: 1}, 8000*3600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(sinktest.Speech(1, 8000))
	sofar := record
	sofar.Result, sofar.Transcript = "", shortWords(40)
	if err := errors.Join(err, w.Flush(), part.UpdateSidecar(&sofar, nil, false)); err != nil {
		t.Fatal(err)
	}
	record.Transcript = shortWords(100)
	return part, base, record
}

// shortWords is a transcript of n segments within a second.
func shortWords(n int) *store.Transcript {
	said := transcript(n)
	for i := range said.Segments {
		s := &said.Segments[i]
		s.FromMS, s.ToMS = s.FromMS/100, s.FromMS/100+5
	}
	return said
}

// finish publishes a recording and saves its record.
func finish(part *store.Part, record *store.Record) error {
	name, err := part.Publish()
	record.WAV = name
	return errors.Join(err, part.Save(record))
}

// The words are published beside the WAV and before the record, each step on the disk before the next one.
func TestWordsArePublished(t *testing.T) {
	var steps []string
	disk := &sinktest.BadDisk{Match: sinktest.ID}
	part, base, record := transcribed(t, disk)
	disk.Seen = func(step, path string) { steps = append(steps, step+strings.TrimPrefix(path, base)) }
	given := record.Transcript
	if err := finish(part, &record); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(base)
	root := filepath.Dir(dir)
	want := []string{
		"rename.wav.part", "syncdir" + dir, "syncdir" + root,
		"create.vtt.new", "write.vtt.new", "sync.vtt.new", "rename.vtt.new", "syncdir" + dir,
		"create.json.new", "write.json.new", "sync.json.new", "rename.json.new", "syncdir" + dir,
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{".json", ".vtt", ".wav"}, extensions(t, base)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	saved := sinktest.ReadRecord(t, base+".json")
	if checkVTT(t, root, saved); len(saved.Transcript.Segments) != 100 {
		t.Errorf("%d segments", len(saved.Transcript.Segments))
	}
	if record.Transcript.VTT != saved.Transcript.VTT || given.VTT != "" {
		t.Errorf("the record returned names %q, what was given %q", record.Transcript.VTT, given.VTT)
	}
	if info, err := os.Stat(base + ".vtt"); err != nil || info.Mode().Perm()&0o007 != 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// A call without words, or without a published WAV, has no file of them, nor has any other.
func TestNoWordsNoFile(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*store.Record)
		wav    bool
	}{
		"no transcript": {func(r *store.Record) { r.Transcript = nil }, true},
		"no segment":    {func(r *store.Record) { r.Transcript.Segments, r.Transcript.VTT = nil, "stale.vtt" }, true},
		"a part":        {func(*store.Record) {}, false},
		"no WAV":        {func(r *store.Record) { r.WAV = "" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			part, base, record := transcribed(t, store.OSDisk{})
			record.WAV = part.WAV()
			if c.wav {
				published, err := part.Publish()
				if record.WAV = published; err != nil {
					t.Fatal(err)
				}
			}
			c.change(&record)
			if err := part.Save(&record); err != nil {
				t.Fatal(err)
			}
			saved := sinktest.ReadRecord(t, base+".json")
			if sinktest.Exists(base+".vtt") || saved.Transcript != nil && saved.Transcript.VTT != "" {
				t.Errorf("files %v, transcript %+v", extensions(t, base), saved.Transcript)
			}
		})
	}
}

// A recording that could not be published has its words, all of them, once Recover has published it.
func TestWordsOfARecoveredPart(t *testing.T) {
	part, base, record := transcribed(t, store.OSDisk{})
	record.WAV = part.WAV()
	if err := part.Save(&record); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(filepath.Dir(base))
	recoverDir(t, dir)
	got := sinktest.ReadRecord(t, base+".json")
	if checkVTT(t, dir, got); len(got.Transcript.Segments) != 100 || got.Result != "completed" || !got.Recovered {
		t.Errorf("%d segments, record %+v", len(got.Transcript.Segments), got)
	}
}

// Words that can't be written cost no record: it is saved without their file.
func TestWordsOfAnUnwillingDisk(t *testing.T) {
	for _, step := range []string{"create", "write", "sync", "rename"} {
		for _, count := range []int{2, 100} { // a record of a page, and a longer one
			t.Run(fmt.Sprintf("%s, %d", step, count), func(t *testing.T) {
				part, base, record := transcribed(t, &sinktest.BadDisk{Match: ".vtt", Step: step, Err: errDisk})
				record.Transcript = shortWords(count)
				if err := finish(part, &record); !errors.Is(err, store.ErrNoVTT) || !errors.Is(err, errDisk) {
					t.Errorf("error %v", err)
				}
				if diff := cmp.Diff([]string{".json", ".wav"}, extensions(t, base)); diff != "" {
					t.Errorf("files (-want +got):\n%s", diff)
				}
				saved := sinktest.ReadRecord(t, base+".json")
				if saved.Transcript.VTT != "" || len(saved.Transcript.Segments) != count || saved.Result != "completed" {
					t.Errorf("record %+v, transcript %+v", saved, saved.Transcript)
				}
			})
		}
	}
}

// A record that can't be saved either is no record without a file of its words.
func TestNeitherWordsNorRecord(t *testing.T) {
	part, base, record := transcribed(t, &sinktest.BadDisk{Match: sinktest.ID, Step: "rename", Err: errDisk})
	record.WAV = "2026-11-20/" + sinktest.ID + ".wav"
	if err := part.Save(&record); !errors.Is(err, errDisk) || errors.Is(err, store.ErrNoVTT) {
		t.Errorf("error %v", err)
	}
	if sidecar := sinktest.ReadRecord(t, base+".json.part"); sidecar.Result != "completed" || len(sidecar.Transcript.Segments) != 100 {
		t.Errorf("%+v", sidecar)
	}
}

// A name whose words are somebody else's is no call's, from the beginning or since.
func TestWordsOfAnother(t *testing.T) {
	mine := func(t *testing.T, path string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte("mine"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	checkMine := func(t *testing.T, path string) {
		t.Helper()
		if text, err := os.ReadFile(path); err != nil || string(text) != "mine" {
			t.Errorf("%q, %v", text, err)
		}
	}
	t.Run("from the beginning", func(t *testing.T) {
		dir := t.TempDir()
		record := store.Record{Call: sinktest.ID, Started: time.Now()}
		day := filepath.Join(dir, record.Started.UTC().Format(time.DateOnly))
		mine(t, filepath.Join(day, sinktest.ID+".vtt"))
		part, err := store.New(dir, store.OSDisk{}).Create(record.Call, record.Started)
		if err != nil || !strings.HasSuffix(part.WAV(), "-2.wav.part") {
			t.Fatalf("%s, %v", part.WAV(), err)
		}
		defer part.Close()
		if err := part.Store().Save(&record); err != nil { // of a call without a recording
			t.Fatal(err)
		}
		if !sinktest.Exists(filepath.Join(day, sinktest.ID+"-3.json")) {
			t.Errorf("files %v", extensions(t, filepath.Join(day, sinktest.ID)))
		}
		checkMine(t, filepath.Join(day, sinktest.ID+".vtt"))
	})
	t.Run("while the call runs", func(t *testing.T) {
		part, base, record := transcribed(t, store.OSDisk{})
		mine(t, base+".vtt")
		if err := finish(part, &record); !errors.Is(err, store.ErrNoVTT) || !errors.Is(err, fs.ErrExist) {
			t.Errorf("error %v", err)
		}
		if diff := cmp.Diff([]string{".json", ".vtt", ".wav"}, extensions(t, base)); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		if saved := sinktest.ReadRecord(t, base+".json"); saved.Transcript.VTT != "" || len(saved.Transcript.Segments) != 100 {
			t.Errorf("%+v", saved.Transcript)
		}
		checkMine(t, base+".vtt")
	})
	t.Run("beside the published WAV", func(t *testing.T) {
		part, base, record := transcribed(t, store.OSDisk{})
		name, err := part.Publish()
		if record.WAV = name; err != nil {
			t.Fatal(err)
		}
		mine(t, base+".vtt")
		if err := part.Save(&record); !errors.Is(err, store.ErrNoVTT) || !errors.Is(err, fs.ErrExist) {
			t.Errorf("error %v", err)
		}
		if saved := sinktest.ReadRecord(t, base+".json"); saved.Transcript.VTT != "" || len(saved.Transcript.Segments) != 100 {
			t.Errorf("%+v", saved.Transcript)
		}
		checkMine(t, base+".vtt")
	})
}

// A call's second recording has its words under its own name, whatever the call's ID is.
func TestWordsOfASecondRecording(t *testing.T) {
	for _, id := range []string{sinktest.ID, "1-12877@127.0.0.1"} {
		dir := t.TempDir()
		first, second := sinktest.Crashed(t, dir, id, sinktest.Speech(1, 8000)), sinktest.Crashed(t, dir, id, sinktest.Speech(1, 8000))
		for _, base := range []string{first, second} {
			record := sinktest.ReadRecord(t, base+".json.part")
			record.Transcript = shortWords(3)
			note(t, base, record)
		}
		recoverDir(t, dir)
		for _, base := range []string{first, second} {
			if got := sinktest.ReadRecord(t, base+".json"); got.Transcript.VTT != strings.TrimPrefix(base, dir+"/")+".vtt" {
				t.Errorf("%s: VTT %q", base, got.Transcript.VTT)
			} else {
				checkVTT(t, dir, got)
			}
		}
	}
}
