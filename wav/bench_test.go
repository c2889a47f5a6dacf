package wav

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func benchFile(b *testing.B) *os.File {
	f, err := os.Create(filepath.Join(b.TempDir(), "bench.wav"))
	noErr(b, err)
	b.Cleanup(func() { f.Close() })
	return f
}

// One operation is one 20 ms frame; a Flush comes every second of audio.
func BenchmarkWrite(b *testing.B) {
	w := newWriter(b, benchFile(b), mono8)
	frame := noise(1, mono8.FrameBytes()*int(mono8.Frames(20*time.Millisecond)))
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		write(b, w, frame)
		if n++; n%50 == 0 {
			noErr(b, w.Flush())
		}
	}
}

// One operation finishes a recording of an hour; writing it isn't counted.
func BenchmarkFinishHour(b *testing.B) {
	b.ReportAllocs()
	f := benchFile(b)
	for b.Loop() {
		b.StopTimer()
		noErr(b, f.Truncate(0))
		_, err := f.Seek(0, 0)
		noErr(b, err)
		w := newWriter(b, f, mono8)
		noErr(b, w.WriteSilence(mono8.Frames(time.Hour)))
		w.CueAt(0, "prompt start")
		noErr(b, f.Sync())
		b.StartTimer()
		noErr(b, w.Finish())
	}
}

// One operation repairs a recording of an hour that nobody finished.
func BenchmarkRepairHour(b *testing.B) {
	b.ReportAllocs()
	f := benchFile(b)
	w := newWriter(b, f, mono8)
	noErr(b, w.Flush())
	size := plainBytes + int64(mono8.ByteRate())*3600
	noErr(b, f.Truncate(size))
	for b.Loop() {
		b.StopTimer()
		_, err := f.WriteAt(w.header, 0)
		noErr(b, err)
		b.StartTimer()
		if changed, err := Repair(f, size, Format{}); err != nil || !changed {
			b.Fatal(changed, err)
		}
	}
}
