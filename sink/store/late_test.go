package sink

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
)

// Recover runs over and over while recordings begin, stream and end, and touches none.
func TestRecoverBesideServe(t *testing.T) {
	cfg := testConfig(t)
	b := serve(t, cfg)
	dead := leftover(t, cfg.Directory, testID, speech(1, 8000))
	ctx, cancel := context.WithCancel(context.Background())
	var recovering, calls sync.WaitGroup
	for range 2 {
		recovering.Go(func() { recoverOften(t, ctx, b.sink) })
	}
	pcm := speech(2, 1600)
	var mu sync.Mutex
	var records []Record
	for range 8 {
		calls.Go(func() {
			for range 10 {
				r := b.expect(testCall(newID()))
				s := b.connect(r)
				s.audio(pcm)
				s.hangUp()
				record := b.finish(r)
				mu.Lock()
				records = append(records, record)
				mu.Unlock()
			}
		})
	}
	calls.Wait()
	cancel()
	recovering.Wait()
	for _, record := range records {
		if got, _ := readWAV(t, b.path(record.WAV)); !bytes.Equal(got, pcm) {
			t.Errorf("%s: %d bytes", record.WAV, len(got))
		}
		if saved := b.saved(record); saved.Recovered || saved.Result != "completed" {
			t.Errorf("saved %+v", saved)
		}
		os.Remove(b.path(record.WAV))
		os.Remove(strings.TrimSuffix(b.path(record.WAV), wavExt) + jsonExt)
	}
	if record := readRecord(t, dead+jsonExt); !record.Recovered || record.Result != resultAborted {
		t.Errorf("the dead one's record: %+v", record)
	}
	if left, _ := os.ReadDir(filepath.Dir(dead)); len(left) != 2 {
		t.Errorf("more than the dead one's files: %v", left)
	}
}

func recoverOften(t *testing.T, ctx context.Context, s *Sink) {
	for ctx.Err() == nil {
		rec, err := s.Recover(context.Background())
		if err != nil {
			t.Error(err)
		}
		for _, f := range rec.Files {
			if f.Action != ActionLive && f.Err == nil && !strings.Contains(f.Part, testID) {
				t.Errorf("%v", f)
			}
			if f.Err != nil {
				t.Errorf("%v", f)
			}
		}
	}
}

func TestRecoverEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	base := leftover(t, dir, testID, speech(1, 8000))
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("going away"))
	if _, err := RecoverDir(ctx, dir, zap.NewNop()); err == nil || !strings.Contains(err.Error(), "going away") {
		t.Errorf("error %v", err)
	}
	s := &store{disk: osDisk{}, dir: dir}
	done, err := s.recoverWAV(ctx, strings.TrimPrefix(base, dir+"/")) // in the midst of a file
	if err == nil || done.WAV != "" || !s.disk.Exists(base+wavExt+partExt) {
		t.Errorf("%v, %v", done, err)
	}
	if rec := recoverDir(t, dir); rec.Published() != 1 {
		t.Errorf("%v", rec)
	}
}

// A record that a crash left half written goes; one that is being written stays.
func TestRecoverRemovesUnfinishedRecords(t *testing.T) {
	dir := t.TempDir()
	half, busy := filepath.Join(dir, testID+jsonExt+newExt), filepath.Join(dir, newID()+jsonExt+newExt)
	if err := os.WriteFile(half, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := osDisk{}.Create(busy)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rec := recoverDir(t, dir)
	if (osDisk{}).Exists(half) || !(osDisk{}).Exists(busy) || len(rec.Files) != 2 {
		t.Errorf("%v", rec)
	}
}

// racedDisk does something between the moments at which Recover opens a file and has it.
type racedDisk struct {
	osDisk
	before, after func(path string)
}

func (d racedDisk) Open(path string) (file, error) {
	d.before(path)
	f, err := d.osDisk.Open(path)
	d.after(path)
	return f, err
}

// A call that is over just as Recover comes to its files has no second record.
func TestRecoverComesTooLate(t *testing.T) {
	nothing := func(string) {}
	for name, c := range map[string]struct {
		published bool
		race      func(base string) racedDisk
		want      []string
	}{
		"the WAV is published": {false, func(base string) racedDisk {
			return racedDisk{before: nothing, after: func(path string) {
				_ = os.Rename(path, base+wavExt)
			}}
		}, []string{jsonExt + partExt, wavExt}},
		"the record is published": {true, func(base string) racedDisk {
			return racedDisk{before: func(string) {
				_ = os.Rename(base+jsonExt+partExt, base+jsonExt)
			}, after: nothing}
		}, []string{jsonExt, wavExt}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			base := leftover(t, dir, testID, speech(1, 160))
			part := base + wavExt + partExt
			if c.published {
				if err := os.Rename(part, base+wavExt); err != nil {
					t.Fatal(err)
				}
				part = base + jsonExt + partExt
			}
			s := &store{disk: c.race(base), dir: dir}
			if done := s.recoverPart(context.Background(), part); done.Action != ActionLive {
				t.Errorf("%v", done)
			}
			if diff := cmp.Diff(c.want, extensions(t, base)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// A file that is created is locked before anybody sees it.
func TestCreatedFileIsLockedAtOnce(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux can lock a file before it has a name: run it there")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	s := &store{disk: osDisk{}, dir: dir}
	stop, seen := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for {
			if f, err := s.openIdle(path); err == nil {
				n++
				f.Close()
			}
			select {
			case <-stop:
				seen <- n
				return
			default:
			}
		}
	}()
	for range 500 {
		f, err := osDisk{}.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Remove(path), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	if n := <-seen; n > 0 {
		t.Errorf("others had the lock %d times", n)
	}
}

// A WAV that could not be published has its record; once it can be, that record is the
// one that tells of it, and there is no second.
func TestRecoverTakesARecordBack(t *testing.T) {
	cfg := testConfig(t)
	ln := newPipeListener()
	d := &badDisk{match: testID + wavExt, step: "rename", err: errors.New("read-only")}
	b := serveOn(t, cfg, ln, ln.dial, d)
	r := b.expect(testCall(testID))
	s := b.connect(r)
	s.audio(speech(1, 160))
	s.hangUp()
	_, err := r.Finish(context.Background())
	wantError(t, err, d.err)
	record, err := r.Save(Outcome{Result: "completed", Ended: time.Now()})
	if err != nil || !strings.HasSuffix(record.WAV, partExt) {
		t.Fatalf("%v, WAV %q", err, record.WAV)
	}
	rec := recoverDir(t, cfg.Directory)
	base := b.path(callName(testID, r.call.Started))
	got := readRecord(t, base+jsonExt)
	if got.WAV != strings.TrimSuffix(record.WAV, partExt) || got.Result != "completed" || !got.Recovered {
		t.Errorf("%v, record %+v", rec, got)
	}
	if left, _ := os.ReadDir(filepath.Dir(base)); len(left) != 2 {
		t.Errorf("the folder holds %v", left)
	}
}

func TestRecoveredString(t *testing.T) {
	dir := t.TempDir()
	base := leftover(t, dir, testID, speech(1, 49920))
	day := filepath.Base(filepath.Dir(base))
	name := day + "/" + testID
	d := &badDisk{match: jsonExt, step: "rename", err: errors.New("no space")}
	s := &store{disk: d, dir: dir}
	rec, err := recoverStore(context.Background(), s, zap.NewNop())
	if err != nil || len(rec.Files) == 0 {
		t.Fatalf("%v, %v", rec, err)
	}
	first := rec.Files[0]
	if got := first.String(); first.Action != ActionNoRecord || rec.Left() != 1 ||
		!strings.HasPrefix(got, name+".wav.part: published as "+name+".wav, 6.24 s, without its record: ") {
		t.Errorf("%d left, %s", rec.Left(), got)
	}
	for want, f := range map[string]Recovered{
		name + ".wav.part: published as " + name + ".wav, 6.24 s": {
			Part: base + wavExt + partExt, Action: ActionPublished, WAV: base + wavExt, Audio: 6240 * time.Millisecond,
		},
		name + ".wav.part: left as it is: no WAV":           {Part: base + wavExt + partExt, Action: ActionLeft, Err: errors.New("no WAV")},
		name + ".wav.part: belongs to a running tapdeck":    {Part: base + wavExt + partExt, Action: ActionLive},
		name + ".json.part: published as " + name + ".json": {Part: base + jsonExt + partExt, Action: ActionRecord, Record: base + jsonExt},
		name + ".json.part: removed, nothing in it was new": {Part: base + jsonExt + partExt, Action: ActionRemoved},
	} {
		if got := f.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if rec := recoverDir(t, dir); rec.Published() != 1 { // and later the record
		t.Errorf("%v", rec)
	}
	readRecord(t, base+jsonExt)
}
