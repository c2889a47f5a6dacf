package store_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"
	"tapdeck/sink/track"
)

// What a sidecar is told later is what Recover knows: the call so far, and cue points at its marks.
func TestRecoverKnowsTheCallSoFar(t *testing.T) {
	part, base, record := running(t, store.OSDisk{})
	dead := sinktest.Crashed(t, t.TempDir(), sinktest.ID, sinktest.Speech(1, 8000))
	record.Result, record.Restarts, record.Alarms = "", 2, []string{"only_silence"}
	record.Timeline = store.Timeline{{"answer", 20}, {"listen", 900}, {"listen", 1900}}
	record.Gaps = []track.Gap{{AtMS: 100, MS: 200}}
	record.Version, record.Instance = "v1.2.3", "fs1"
	record.Variables = map[string]string{"sip_call_id": "a@b"}
	record.Digits = []store.Digit{{AtMS: 950, Digit: "1", Step: "listen"}}
	record.Prompts = []store.Prompt{{File: "greeting.wav", Step: "prompt", AtMS: 30, HeardMS: 800, EndedBy: "end"}}
	marks := []store.Mark{{Frame: 160, Label: "prompt start"}, {Frame: 9000, Label: "prompt end"}}
	if err := part.UpdateSidecar(&record, marks, false); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(base + ".json.part"); err != nil || info.Size() != page {
		t.Errorf("the sidecar has %v bytes, %v", info.Size(), err)
	}
	rename(t, base+".json.part", dead+".json.part")
	recoverDir(t, filepath.Dir(filepath.Dir(dead)))
	got := sinktest.ReadRecord(t, dead+".json")
	if got.Result != "aborted" || !strings.Contains(got.Err, "before it had finished the call") || strings.Contains(got.Err, "shutdown") ||
		!slices.Equal(got.Timeline, record.Timeline) || got.Restarts != 2 || len(got.Alarms) != 1 || len(got.Gaps) != 1 || got.AudioMS != 1000 {
		t.Errorf("record %+v", got)
	}
	if got.Schema != store.Schema || got.Version != "v1.2.3" || got.Instance != "fs1" || got.Variables["sip_call_id"] != "a@b" ||
		!slices.Equal(got.Digits, record.Digits) || !slices.Equal(got.Prompts, record.Prompts) {
		t.Errorf("record %+v", got)
	}
	pcm, h := sinktest.ReadWAV(t, dead+".wav")
	if len(h.Cues) != 2 || h.Cues[0].Frame != 160 || h.Cues[0].Label != "prompt start" || h.Cues[1].Frame != 8000 || !bytes.Equal(pcm, sinktest.Speech(1, 8000)) {
		t.Errorf("%d bytes, cues %v", len(pcm), h.Cues)
	}
}

// A sidecar stays within the page that one write replaces, whatever the call brings.
func TestSidecarFitsAPage(t *testing.T) {
	part, base, record := running(t, store.OSDisk{})
	var marks []store.Mark
	for i := range 100 {
		marks = append(marks, store.Mark{Frame: int64(i), Label: strings.Repeat("x", 80)})
		record.Gaps = append(record.Gaps, track.Gap{AtMS: int64(i), MS: 1})
	}
	for _, caller := range []string{"1001", strings.Repeat("1", page)} {
		record.Caller = caller
		if err := part.UpdateSidecar(&record, marks, false); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(base + ".json.part")
		if err != nil || len(text) != page || !bytes.Contains(text, []byte(`"caller":"1001"`)) || !bytes.Contains(text, []byte(`"at_ms":0`)) {
			t.Errorf("%d bytes, %v: %.300s", len(text), err, text)
		}
	}
}

// What takes the most room gives way, and the rest of the call is known.
func TestSidecarLeavesOutWhatIsLong(t *testing.T) {
	many := func(r *store.Record, n int) {
		for i := range n {
			r.Digits = append(r.Digits, store.Digit{AtMS: int64(i), Digit: "1", Step: "listen"})
			r.Prompts = append(r.Prompts, store.Prompt{File: "a.wav", Step: "play", EndedBy: "end"})
			r.Timeline.Add("play", int64(i))
		}
	}
	for name, tt := range map[string]struct {
		fill func(*store.Record)
		fits func(store.Record) bool
	}{
		"digits": {func(r *store.Record) { many(r, 2); r.Digits = slices.Repeat(r.Digits, 500) }, func(r store.Record) bool {
			return len(r.Digits) > 20 && len(r.Digits)+r.DigitsDropped == 1000 && len(r.Prompts) == 2 && len(r.Timeline) == 2
		}},
		"steps":     {func(r *store.Record) { many(r, 1000) }, func(r store.Record) bool { return len(r.Digits) > 5 && len(r.Prompts) > 5 && len(r.Timeline) > 5 }},
		"variables": {func(r *store.Record) { many(r, 2); r.Variables["long"] = strings.Repeat("<", page) }, func(r store.Record) bool { return len(r.Variables) == 1 && len(r.Digits) == 2 && len(r.Timeline) == 2 }},
	} {
		t.Run(name, func(t *testing.T) {
			part, base, record := running(t, store.OSDisk{})
			record.Variables = map[string]string{"sip_call_id": "a@b"}
			tt.fill(&record)
			before := fmt.Sprint(record)
			if err := part.UpdateSidecar(&record, nil, false); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(base + ".json.part"); err != nil || info.Size() != page {
				t.Errorf("the sidecar has %v bytes, %v", info.Size(), err)
			}
			if got := sinktest.ReadRecord(t, base+".json.part"); !tt.fits(got) || got.Variables["sip_call_id"] != "a@b" {
				t.Errorf("%d digits and %d more, %d prompts, %d moments, variables %v", len(got.Digits), got.DigitsDropped, len(got.Prompts), len(got.Timeline), got.Variables)
			}
			if fmt.Sprint(record) != before {
				t.Error("the call's own record is shorter now")
			}
		})
	}
}

// A record that is written is not overwritten by what was known before.
func TestSidecarAfterTheRecord(t *testing.T) {
	for name, save := range map[string]func(*store.Part, *store.Record) error{"Keep": (*store.Part).Keep, "Save": (*store.Part).Save} {
		t.Run(name, func(t *testing.T) {
			part, base, record := running(t, store.OSDisk{})
			before := record
			before.Result = ""
			if err := save(part, &record); err != nil {
				t.Fatal(err)
			}
			if err := part.UpdateSidecar(&before, nil, false); err != nil {
				t.Error(err)
			}
			ext := map[string]string{"Keep": ".json.part", "Save": ".json"}[name]
			if got := sinktest.ReadRecord(t, base+ext); got.Result != "completed" {
				t.Errorf("record %+v", got)
			}
		})
	}
}

// A record that is published is neither overwritten nor doubled by one that was to be kept until then.
func TestKeepAfterTheRecord(t *testing.T) {
	part, base, record := running(t, store.OSDisk{})
	kept := record
	kept.Result = "error"
	if err := part.Save(&record); err != nil {
		t.Fatal(err)
	}
	if err := part.Keep(&kept); err != nil {
		t.Error(err)
	}
	if got := sinktest.ReadRecord(t, base+".json"); got.Result != "completed" || sinktest.Exists(base+".json.part") {
		t.Errorf("record %+v, sidecar %v", got, sinktest.Exists(base+".json.part"))
	}
}

// smallBlocks is a full disk whose blocks are smaller than a page: what is written lies within
// the blocks that a file has, or fails, and no file is made.
type smallBlocks struct {
	store.OSDisk
	full *bool
}

const block = 512

func (d smallBlocks) Create(path string) (store.File, error) {
	if *d.full {
		return nil, &fs.PathError{Op: "create", Path: path, Err: syscall.ENOSPC}
	}
	return d.OSDisk.Create(path)
}

func (d smallBlocks) Open(path string) (store.File, error) {
	f, err := d.OSDisk.Open(path)
	return smallFile{f, d}, err
}

type smallFile struct {
	store.File
	disk smallBlocks
}

func (f smallFile) WriteAt(b []byte, at int64) (int, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if room := (info.Size() + block - 1) / block * block; *f.disk.full && at+int64(len(b)) > room {
		n, _ := f.File.WriteAt(b[:max(room-at, 0)], at)
		return n, syscall.ENOSPC
	}
	return f.File.WriteAt(b, at)
}

// The record of a call that ended is kept on a disk that is full to the last block.
func TestRecordOnAFullDiskOfSmallBlocks(t *testing.T) {
	for _, listed := range []int{0, 20} {
		t.Run(fmt.Sprintf("%d texts", listed), func(t *testing.T) {
			full := false
			part, base, record := running(t, smallBlocks{full: &full})
			record.Metadata = strings.Split(strings.Repeat("x", listed), "")
			record.Err = strings.Repeat("long ", 200)
			full = true
			if err := part.Save(&record); err != nil {
				t.Error(err)
			}
			if got := sinktest.ReadRecord(t, base+".json"); got.Result != "completed" {
				t.Errorf("record %+v", got)
			}
		})
	}
}
