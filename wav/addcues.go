package wav

import (
	"encoding/binary"
	"fmt"
)

// AddCues puts cues behind the audio of a file of size bytes that has none, as Finish would have
// done, and syncs it; f is healthy, as after Repair. Labels and number are bounded as those of
// CueAt. A file that has anything but an incomplete frame behind its audio, or that would be too
// large, stays as it is. After an error it is healthy and has no cues.
func AddCues(f RepairFile, size int64, cues []Cue) error {
	h, err := ReadHeader(f, size)
	if err != nil {
		return err
	}
	end := h.DataOffset + h.DataBytes
	cues = append([]Cue(nil), cues[:min(len(cues), maxCues)]...)
	for i := range cues {
		cues[i].Label = cleanLabel(cues[i].Label)
	}
	chunks := encodeCues(cues, h.Frames())
	if len(chunks) == 0 || size-end >= int64(h.Format.FrameBytes()) {
		return nil
	}
	var id [4]byte
	if err := readFull(f, id[:], 0); err != nil {
		return err
	}
	riff := end + int64(len(chunks)) - chunkHeader
	at, sizes := int64(4), binary.LittleEndian.AppendUint32(nil, uint32(riff))
	switch {
	case string(id[:]) == "RF64":
		at, sizes = ds64At, binary.LittleEndian.AppendUint64(nil, uint64(riff))
	case string(id[:]) != "RIFF", riff >= unknownSize:
		return nil
	}
	if _, err := f.WriteAt(chunks, end); err != nil {
		return fmt.Errorf("write cues: %w", err)
	}
	if _, err := f.WriteAt(sizes, at); err != nil {
		return fmt.Errorf("write header: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync cues: %w", err)
	}
	return nil
}
