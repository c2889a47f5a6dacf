package sink

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// beginRecord makes a sidecar, and returns its name and the record that is to come.
func beginRecord(t *testing.T, s *store) (name string, record Record) {
	t.Helper()
	call := testCall(testID)
	name = callName(testID, call.Started)
	record = newRecord(call)
	if err := errors.Join(s.makeDay(name), s.saveSidecar(name, &record)); err != nil {
		t.Fatal(err)
	}
	record.Result, record.HangupCause = "completed", "NORMAL_CLEARING"
	return name, record
}

// A record takes its sidecar's file, without a blank left; where that fails in any step,
// and where it is too long, it gets a file of its own.
func TestRecordTakesTheSidecarsPlace(t *testing.T) {
	for _, step := range []string{"none", "open", "writeat", "sync", "truncate", "too long"} {
		t.Run(step, func(t *testing.T) {
			dir := t.TempDir()
			s := &store{disk: &badDisk{match: jsonExt + partExt, step: step, err: errors.New("no")}, dir: dir}
			name, record := beginRecord(t, s)
			if step == "too long" {
				record.Metadata = []string{strings.Repeat("x", reserved)}
			}
			sidecar, err := os.Stat(s.path(name) + jsonExt + partExt)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.saveRecord(&record, name); err != nil {
				t.Fatal(err)
			}
			if got := extensions(t, s.path(name)); !cmp.Equal(got, []string{jsonExt}) {
				t.Errorf("files %v", got)
			}
			if got := readRecord(t, s.path(name)+jsonExt); !cmp.Equal(got.Result, "completed") {
				t.Errorf("record %+v", got)
			}
			want, _ := encodeRecord(&record)
			published, err := os.Stat(s.path(name) + jsonExt)
			if err != nil || published.Size() != int64(len(want)) {
				t.Errorf("%v, %v, want %d bytes", published, err, len(want))
			}
			if os.SameFile(sidecar, published) != (step == "none") {
				t.Errorf("the same file: %v", step != "none")
			}
		})
	}
}

// Each step is on the disk before the next one takes away what it stands for.
func TestRecordIsSyncedInOrder(t *testing.T) {
	var steps []string
	d := &badDisk{match: jsonExt, step: "none"}
	s := &store{disk: d, dir: t.TempDir()}
	name, record := beginRecord(t, s)
	d.seen = func(step, _ string) { steps = append(steps, step) }
	if err := s.saveRecord(&record, name); err != nil {
		t.Fatal(err)
	}
	want := []string{"open", "writeat", "sync", "truncate", "sync", "rename", "syncdir", "syncdir"}
	if !cmp.Equal(steps, want) {
		t.Errorf("%v, want %v", steps, want)
	}
}

// A record that could not be published is known to Recover, in the sidecar.
func TestRecordWithoutAName(t *testing.T) {
	dir := t.TempDir()
	s := &store{disk: &badDisk{match: jsonExt, step: "rename", err: errors.New("no")}, dir: dir}
	name, record := beginRecord(t, s)
	if err := s.saveRecord(&record, name); err == nil {
		t.Error("no error")
	}
	recoverDir(t, dir)
	if got := readRecord(t, s.path(name)+jsonExt); got.Result != "completed" || !got.Recovered {
		t.Errorf("%+v", got)
	}
}

// Wherever a power cut parts what a record writes over its sidecar from what was there,
// one of the two is read; also where the disk wrote the end before the beginning.
func TestSidecarSurvivesAPowerCut(t *testing.T) {
	s := &store{disk: osDisk{}, dir: t.TempDir()}
	name, record := beginRecord(t, s)
	before, err := os.ReadFile(s.path(name) + jsonExt + partExt)
	if err != nil {
		t.Fatal(err)
	}
	b, err := encodeRecord(&record)
	if err != nil {
		t.Fatal(err)
	}
	after := slices.Concat(b, blanks[len(b):], before[reserved:])
	whole := 0
	for cut := range reserved + 1 {
		for order, torn := range [][]byte{
			append(after[:cut:cut], before[cut:]...),
			append(before[:cut:cut], after[cut:]...),
		} {
			got, ok := decodeRecord(torn)
			if !ok || got.Caller != record.Caller || got.Result != "" && got.Result != record.Result {
				t.Fatalf("cut at %d, order %d: %v %+v", cut, order, ok, got)
			}
			if got.Result != "" {
				whole++
			}
		}
	}
	if whole < reserved-len(b) {
		t.Errorf("only %d were the record", whole)
	}
	if got, ok := decodeRecord(b); !ok || got.Result != record.Result {
		t.Errorf("%+v", got)
	}
}

// A record that is too long for the room is read, whatever is left behind it.
func TestLongRecordOverASidecar(t *testing.T) {
	s := &store{disk: osDisk{}, dir: t.TempDir()}
	name, record := beginRecord(t, s)
	old, err := os.ReadFile(s.path(name) + jsonExt + partExt)
	if err != nil {
		t.Fatal(err)
	}
	record.Metadata = []string{strings.Repeat("x", len(old)-reserved-100)}
	for len(record.Metadata[0]) < 2*reserved {
		b, err := encodeRecord(&record)
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, old[min(len(b), len(old)):]...)
		if got, ok := decodeRecord(b); !ok || got.Result != record.Result {
			t.Fatalf("%d bytes: %v %+v", len(b), ok, got)
		}
		record.Metadata[0] += strings.Repeat("x", 101)
	}
	if err := s.keepRecord(&record, name); err != nil {
		t.Fatal(err)
	}
	if got := readRecord(t, s.path(name)+jsonExt+partExt); !cmp.Equal(got.Metadata, record.Metadata) {
		t.Errorf("%+v", got)
	}
}

// A record whose own name is taken goes to its day's folder, which need not be there.
func TestRecordInANewFolder(t *testing.T) {
	dir := t.TempDir()
	s := &store{disk: osDisk{}, dir: dir}
	record := newRecord(testCall(testID))
	if err := s.saveSidecar(testID, &record); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path(testID)+jsonExt, []byte("taken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.saveRecord(&record, testID); err != nil {
		t.Fatal(err)
	}
	readRecord(t, s.path(callName(testID, record.Started))+jsonExt)
}

// Recover publishes a sidecar in every state that a crash leaves.
func TestRecoverOverwrittenSidecars(t *testing.T) {
	for _, written := range []int{10, reserved} {
		t.Run(fmt.Sprint(written), func(t *testing.T) {
			dir := t.TempDir()
			base := leftover(t, dir, testID, speech(1, 800))
			record, ok := readRecordFile(base + jsonExt + partExt)
			if !ok {
				t.Fatal("no sidecar")
			}
			record.Result = "completed"
			b, err := encodeRecord(&record)
			if err != nil {
				t.Fatal(err)
			}
			b = append(b, blanks[len(b):]...)
			change(t, base+jsonExt+partExt, func(old []byte) []byte { return append(b[:written:written], old[written:]...) })
			recoverDir(t, dir)
			want := map[int]string{10: resultAborted, reserved: "completed"}[written]
			if got := readRecord(t, base+jsonExt); got.Result != want || got.Caller != record.Caller || !got.Recovered {
				t.Errorf("%+v", got)
			}
			if left, _ := os.ReadDir(filepath.Dir(base)); len(left) != 2 {
				t.Errorf("the folder holds %v", left)
			}
		})
	}
}
