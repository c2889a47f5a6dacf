package wav

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"syscall"
	"testing"
)

// A disk that is full at any byte: the error is named, and after Finish the file
// is playable and holds every whole frame that found room.
func TestNoRoom(t *testing.T) {
	audio := noise(1, 40_000)
	for room := int64(plainBytes); room < plainBytes+45_000; room += 1231 {
		f := newMemFile(nil)
		f.failTruncate = errDisk
		w := newWriter(t, f, stereo8)
		f.room = room
		w.CueAt(0, "start")
		var err error
		for at := 0; at < len(audio) && err == nil; at += 321 {
			_, err = w.Write(audio[at:min(at+321, len(audio))])
		}
		err = errors.Join(err, w.Flush())
		full := room < plainBytes+int64(len(audio))
		if full != errors.Is(err, errDisk) {
			t.Errorf("room for %d: %v", room, err)
		}
		if err := w.Finish(); full && !errors.Is(err, errDisk) {
			t.Errorf("room for %d: Finish = %v", room, err)
		}
		want := audio[:stereo8.whole(min(room-plainBytes, int64(len(audio))))]
		checkKept(t, f, w, want)
	}
}

func checkKept(t *testing.T, f *memFile, w *Writer, want []byte) {
	t.Helper()
	if got := pcm(t, f); !bytes.Equal(got, want) {
		t.Errorf("the file holds %d bytes of audio, want %d", len(got), len(want))
	}
	if w.Frames() != int64(len(want)/w.format.FrameBytes()) || w.Sum() != sha256.Sum256(want) {
		t.Errorf("Frames = %d of %d bytes, or another sum", w.Frames(), len(want))
	}
}

// After an error Write refuses; if there is room again, Finish loses nothing.
func TestRoomAgain(t *testing.T) {
	audio := noise(2, 20_000)
	f := newMemFile(nil)
	w := newWriter(t, f, stereo8)
	f.room = plainBytes + 5_001
	n, err := w.Write(audio)
	if n != bufferBytes || !errors.Is(err, errDisk) {
		t.Fatalf("Write = %d, %v", n, err)
	}
	accepted := audio[:n]
	for range 3 {
		if n, err := w.Write(audio); n != 0 || !errors.Is(err, errDisk) {
			t.Errorf("Write after an error = %d, %v", n, err)
		}
		if err := errors.Join(w.Flush()); !errors.Is(err, errDisk) {
			t.Errorf("Flush after an error = %v", err)
		}
		if err := w.WriteSilence(1); !errors.Is(err, errDisk) {
			t.Errorf("WriteSilence after an error = %v", err)
		}
	}
	if w.Frames() != int64(len(accepted)/4) || w.Sum() != sha256.Sum256(accepted) {
		t.Errorf("%d frames, want %d; or another sum", w.Frames(), len(accepted)/4)
	}
	f.room = -1
	w.CueAt(w.Frames(), "end")
	noErr(t, w.Finish())
	checkKept(t, f, w, accepted)
	if h, _ := ReadHeader(f, f.size()); len(h.Cues) != 1 {
		t.Errorf("cues %v", h.Cues)
	}
}

// Half a frame and half a cue chunk don't stay in a file that can be cut.
func TestCut(t *testing.T) {
	for _, room := range []int64{plainBytes + 10_001, plainBytes + 16_000 + 31} {
		f := newMemFile(nil)
		w := newWriter(t, f, stereo8)
		f.room = room
		w.CueAt(0, "start")
		_, _ = w.Write(noise(3, 16_000))
		if err := w.Finish(); !errors.Is(err, errDisk) {
			t.Errorf("Finish = %v", err)
		}
		want := plainBytes + stereo8.whole(min(room-plainBytes, 16_000))
		if f.size() != want {
			t.Errorf("%d bytes stay of %d, want %d", f.size(), room, want)
		}
		if changed, err := Repair(f, f.size(), Format{}); err != nil || changed {
			t.Errorf("Repair = %v, %v", changed, err)
		}
	}
}

func TestHeaderFails(t *testing.T) {
	f := newMemFile(nil)
	f.room = 3
	if _, err := NewWriter(f, mono8, 0); !errors.Is(err, errDisk) {
		t.Errorf("NewWriter = %v", err)
	}
	f = newMemFile(nil)
	w := newWriter(t, f, mono8)
	write(t, w, noise(4, 100))
	f.failWriteAt = errDisk
	if err := w.Flush(); !errors.Is(err, errDisk) {
		t.Errorf("Flush = %v", err)
	}
	if _, err := w.Write([]byte{1}); !errors.Is(err, errDisk) {
		t.Errorf("Write = %v", err)
	}
	f.failWriteAt = nil
	noErr(t, w.Finish())
	checkKept(t, f, w, noise(4, 100))
}

func TestSyncFails(t *testing.T) {
	f := newMemFile(nil)
	w := newWriter(t, f, mono8)
	f.failSync = errDisk
	write(t, w, noise(5, 100))
	if err := w.Finish(); !errors.Is(err, errDisk) {
		t.Errorf("Finish = %v", err)
	}
	checkKept(t, f, w, noise(5, 100))
}

// The error of a real full device is the system's own.
func TestDevFull(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this needs the device /dev/full, which Linux has:", err)
	}
	defer f.Close()
	if _, err := NewWriter(f, mono8, 0); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("NewWriter = %v, want ENOSPC", err)
	}
}
