// Package store is the directory of recordings: the names in it, the files of a running call
// and their publication, the records, and the recovery of what a crash left.
//
//	DATE/UUID.wav        published: complete, synced, renamed
//	DATE/UUID.json       the call's record
//	DATE/UUID.vtt        what was said, if it was transcribed, as WebVTT
//	DATE/UUID.wav.part   running, locked by the process that writes it
//	DATE/UUID.json.part  the sidecar: what is known of a running call, for Recover
//	DATE/UUID.json.new   a record that is being written, locked
//	DATE/UUID.vtt.new    its words, likewise
//
// If a call's ID is no UUID, Name makes a name of it.
//
// A name that is taken is never overwritten: UUID-2 is the next, for the WAV and the record. Words have
// the name of their WAV or none: a .vtt of somebody else, which came while the call ran, stays, and the
// record is saved without. The lock of a .wav.part is kept until the record is saved, so that no Recover, also
// of another process, publishes a call as dead before its record is there. Where locks don't work
// (Recover tries), a process leaves its own open files alone by their names, and those of others
// by their times: what was touched within a minute, by the file system's own clock, is in use.
// Touch, called every ten seconds, keeps running recordings so that nothing is written to for a
// while. A process that sleeps for a minute there may find its recording published.
//
// A name is given by a rename that overwrites nothing, else by a hard link, else (exFAT, s3fs,
// rclone, some CIFS) by an empty file that reserves it and that the rename replaces.
//
// A sidecar is a page long, with blanks. What becomes known of the call while it runs (its
// timeline, digits, prompts, the first words, marks, alarms) replaces it in one write, not synced unless
// that is asked for.
//
// A record overwrites its sidecar in one write and is then renamed, so that a call makes two
// files and removes none (a new file costs a file system the more, the more were just
// removed: ext4 passes over their inodes for minutes). One that is longer than a page, or
// has no sidecar, is written to a .json.new first, and the sidecar is removed.
//
// The words get their file by the same steps as the record, before it, and only beside a published WAV: no
// record names a file that is not there. If only they can't be published, the record is saved without. After
// a crash between the two they stay, and the recovered record names them if they are WebVTT; else Recover
// writes those that the sidecar had room for.
//
// What holds after a crash: after kill -9 a sidecar is whole, either the old text or the
// record, as a write of one page is not cut by a signal. After a power loss it is one of the
// two as well, as the disks of today write a page whole; if one doesn't, or if the page never
// reached it, the WAV itself still tells the call's UUID and its audio, and is published as
// recovered without the caller's details. A published WAV is synced. After a failed write the
// old text is put back, and after a failed rename the sidecar is the whole record: Recover
// publishes both.
//
// The package starts no goroutine, and its methods are safe for concurrent use; a Part belongs
// to one recording. It sets no time limits: a method returns when the disk does. It knows
// nothing of sockets, and never removes audio.
package store
