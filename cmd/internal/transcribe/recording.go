package transcribe

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tapdeck/controller/transcript"
	"tapdeck/wav"
)

// Recording is a WAV file with audio that can be transcribed. It must be closed.
type Recording struct {
	Path   string
	Format wav.Format
	// Length is that of the audio that the file had when it was opened.
	Length time.Duration
	// Missing is how much more the header promises: the file is a truncated copy. It is 0 if Unfinished.
	Missing time.Duration
	// Unfinished says that the file is one that a daemon writes, or that a crash left.
	Unfinished bool
	// Channels are those that the service is given, by who speaks there.
	Channels []string

	file  *os.File
	audio *wav.Reader
}

// FormatError is audio that is not transcribed.
type FormatError struct{ Format wav.Format }

func (e *FormatError) Error() string {
	return fmt.Sprintf("it has %d Hz and %s; it must have 8000 or 16000 Hz, and one channel or two", e.Format.SampleRate, channels(e.Format.Channels))
}

func channels(n int) string {
	if n == 1 {
		return "1 channel"
	}
	return fmt.Sprintf("%d channels", n)
}

const partExt = ".part"

// Open opens a recording for a service that is given both channels of stereo, or the left one alone. The
// error is a *FormatError, wav.ErrNotWAV, wav.ErrFormat, or of the file, and without its path.
func Open(path string, multichannel bool) (*Recording, error) {
	file, size, err := openRegular(path)
	if err != nil {
		return nil, bare(err)
	}
	r := &Recording{Path: path, file: file, Unfinished: strings.HasSuffix(path, partExt)}
	if err := r.readHeader(size); err != nil {
		_ = file.Close()
		return nil, err
	}
	r.Channels = r.sentChannels(multichannel)
	return r, nil
}

// openRegular opens a regular file: to open a pipe would wait for whoever writes it.
func openRegular(path string) (file *os.File, size int64, err error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("is no regular file")
	}
	if err != nil {
		return nil, 0, err
	}
	file, err = os.Open(path)
	return file, info.Size(), err
}

// bare is an error without a path.
func bare(err error) error {
	if of, is := errors.AsType[*os.PathError](err); is {
		return of.Err
	}
	return err
}

// Close closes the file.
func (r *Recording) Close() error { return r.file.Close() }

func (r *Recording) readHeader(size int64) (err error) {
	if r.audio, err = wav.NewReader(r.file, size); err != nil {
		return err
	}
	r.Format = r.audio.Format()
	r.Length = r.Format.Duration(r.audio.Frames())
	if !r.Unfinished {
		r.Missing = r.Format.Duration(r.audio.Missing())
	}
	if rate := r.Format.SampleRate; rate != 8000 && rate != 16000 || r.Format.Channels > 2 {
		return &FormatError{r.Format}
	}
	return nil
}

// sentChannels are those that a service is given.
func (r *Recording) sentChannels(multichannel bool) []string {
	switch {
	case r.Format.Channels == 1 && r.mix() == "mixed":
		return []string{transcript.ChannelBoth}
	case r.Format.Channels == 2 && multichannel:
		return []string{transcript.ChannelCaller, transcript.ChannelCallee}
	}
	return []string{transcript.ChannelCaller}
}

// maxRecord bounds what is read of a record, in bytes.
const maxRecord = 16 << 20

// mix is what the record beside the file says of it, "" if there is none that does.
func (r *Recording) mix() string {
	path, part := r.Path, ""
	if r.Unfinished {
		path, part = strings.TrimSuffix(path, partExt), partExt
	}
	file, _, err := openRegular(strings.TrimSuffix(path, filepath.Ext(path)) + ".json" + part)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	var record struct {
		Mix string `json:"mix"`
	}
	if err := json.NewDecoder(io.LimitReader(file, maxRecord)).Decode(&record); err != nil {
		return ""
	}
	return record.Mix
}
