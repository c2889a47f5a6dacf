package sink

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"

	"go.uber.org/zap"
)

const vttExt = ".vtt"

// said is a transcript of n segments, 200 ms each.
func said(n int) *store.Transcript {
	t := &store.Transcript{Format: "vosk"}
	for i := range int64(n) {
		t.Segments = append(t.Segments, store.Segment{Channel: "caller", FromMS: 200 * i, ToMS: 200*i + 200, Text: fmt.Sprint("word ", i)})
	}
	return t
}

// A transcribed call has its words in the record and beside the WAV, within the recording.
func TestWordsOfACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		s := b.connect(r)
		s.play(speech(1, 8000))
		s.hangUp()
		if err := r.Finish(context.Background()); err != nil {
			t.Fatal(err)
		}
		call, missing := endedCall(r, "completed"), int64(500)
		call.Transcript, call.TranscriptMissingMS, call.Alarms = said(7), &missing, []string{AlarmTranscript}
		record, err := r.Save(call)
		if err != nil {
			t.Fatal(err)
		}
		got := b.saved(record)
		if want := strings.TrimSuffix(record.WAV, wavExt) + vttExt; got.Transcript.VTT != want || record.Transcript.VTT != want || *got.TranscriptMissingMS != 500 {
			t.Errorf("VTT %q in the file, %q in the record, want %q", got.Transcript.VTT, record.Transcript.VTT, want)
		}
		if last := got.Transcript.Segments[6]; last.FromMS != got.AudioMS || last.ToMS != got.AudioMS || call.Transcript.Segments[6].FromMS != 1200 {
			t.Errorf("%+v in %d ms", last, got.AudioMS)
		}
		if text, err := os.ReadFile(b.path(got.Transcript.VTT)); err != nil || strings.Count(string(text), "<v caller>word") != 7 {
			t.Errorf("%s, %v", text, err)
		}
		if got.Hint != alarmHints[AlarmTranscript] || len(got.Alarms) != 1 || b.metric("tapdeck_sink_alarms_total", AlarmTranscript) != 1 {
			t.Errorf("alarms %v, hint %q", got.Alarms, got.Hint)
		}
	})
}

// A hint of the call's own says more than that of its alarm, and so does one of the sink's.
func TestHintOfATranscriptComesLast(t *testing.T) {
	for _, c := range []struct {
		call, sink string
		alarms     []string
		want       string
	}{
		{"", "", []string{AlarmNoSocket, AlarmTranscript}, alarmHints[AlarmTranscript]},
		{"call", "sink", []string{AlarmTranscript}, "call"},
		{"", "sink", []string{AlarmTranscript}, "sink"},
		{"", "", []string{AlarmNoSocket}, ""},
		{"", "", nil, ""},
	} {
		if got := (&finish{}).complete(store.Record{Hint: c.call, Alarms: c.alarms}, store.Record{Hint: c.sink}).Hint; got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// What was said until a process dies is known, as what else was.
func TestSidecarHasWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		s := b.connect(r)
		s.play(speech(1, 8000))
		sofar := r.call
		sofar.Transcript = said(4)
		r.Note(sofar)
		s.play(speech(1, 8000*2))
		record, _, _ := recoverCopy(t, b.sink.cfg.Load().Directory)
		if record.Transcript == nil || len(record.Transcript.Segments) != 4 || !strings.HasSuffix(record.Transcript.VTT, testID+vttExt) {
			t.Errorf("transcript %+v", record.Transcript)
		}
		s.hangUp()
		b.finish(r)
	})
}

// That the words have no file is a warning, and the record is saved.
func TestWordsAreNotWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipeListener()
		b := serveOn(t, testConfig(t), ln, ln.dial, &sinktest.BadDisk{Match: vttExt, Step: "sync", Err: errors.New("no space")})
		r := b.expect(testCall(testID))
		s := b.connect(r)
		s.play(speech(1, 8000))
		s.hangUp()
		if err := r.Finish(context.Background()); err != nil {
			t.Fatal(err)
		}
		call := endedCall(r, "completed")
		call.Transcript = said(3)
		record, err := r.Save(call)
		if err != nil {
			t.Errorf("error %v", err)
		}
		if got := b.saved(record); got.Transcript.VTT != "" || len(got.Transcript.Segments) != 3 || sinktest.Exists(b.path(callName(testID, r.call.Started)+vttExt)) {
			t.Errorf("%+v", got.Transcript)
		}
		lines := b.logs.FilterMessage("transcript not saved").FilterLevelExact(zap.WarnLevel).All()
		if len(lines) != 1 || lines[0].ContextMap()["hint"] != store.HintNoVTT || !strings.Contains(fmt.Sprint(lines[0].ContextMap()["err"]), "no space") {
			t.Errorf("lines %v", lines)
		}
	})
}

// wordsHang is the machine's disk, which hangs when words are to have their name.
type wordsHang struct {
	store.OSDisk
	free chan struct{} // closed when it goes on
}

func (d wordsHang) Rename(from, to string) error {
	if strings.HasSuffix(to, vttExt) {
		<-d.free
	}
	return d.OSDisk.Rename(from, to)
}

// Words that hang hold nobody up, and are there with their record once the disk responds.
func TestWordsHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln, disk := newPipeListener(), wordsHang{free: make(chan struct{})}
		b := serveOn(t, testConfig(t), ln, ln.dial, disk)
		r := b.expect(testCall(testID))
		s := b.connect(r)
		s.play(speech(1, 8000))
		s.hangUp()
		if err := r.Finish(context.Background()); err != nil {
			t.Fatal(err)
		}
		call := endedCall(r, "completed")
		call.Transcript = said(3)
		record, err := r.Save(call)
		wantError(t, err, ErrDiskHangs)
		if record.Transcript.VTT != "" {
			t.Errorf("VTT %q, which is not there", record.Transcript.VTT)
		}
		close(disk.free)
		synctest.Wait()
		if got := b.saved(record); !sinktest.Exists(b.path(got.Transcript.VTT)) || !strings.HasSuffix(got.Transcript.VTT, vttExt) {
			t.Errorf("%+v", got.Transcript)
		}
		if again, _ := r.Save(call); record.Transcript.VTT != "" || again.Transcript.VTT != "" {
			t.Errorf("VTT %q in the record that was returned, %q in that of a second call", record.Transcript.VTT, again.Transcript.VTT)
		}
	})
}
