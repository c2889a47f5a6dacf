package player

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const (
	hintRefused = "the bot sends faster than it is heard, and does not wait for its marks; the oldest audio was dropped: player.limit is how much may wait. Or its audio has another rate or encoding than it says"
	hintUnnamed = "mod_audio_stream did not say where the audio is that it was sent (::play). All its open builds since April 2024 do (v1.0.0 and later); those before don't, and its closed binaries (v1.0.1 to v1.0.3), " +
		"which play audio by themselves, may not. If it is a newer open one, is FreeSWITCH's temp directory full, or not writable? Build the module from its source, or set player.directory to a directory that FreeSWITCH sees under the same path"
	hintUnusable  = "the name of the file that mod_audio_stream has written can't be used in a command, since it has a control character or ${…} in it, from the call's id perhaps; set player.directory, whose files have safe names"
	hintNotFound  = "with player.directory, FreeSWITCH must see the directory under the same path and be allowed to read it (tapdeck doctor --call plays a file); without, files of mod_audio_stream end with their stream, so one that was dropped takes them along"
	hintError     = "FreeSWITCH's log says why: may it read the file, and does it know .r8 and .r16 (mod_sndfile)?"
	hintSmall     = "the caller is hardly heard meanwhile, since FreeSWITCH takes 40 ms of him for each piece: have the bot send faster than in real time, and few marks, or set player.lead"
	hintUnwritten = "the audio is lost: is player.directory there, writable and not full? It is best on a tmpfs that FreeSWITCH sees under the same path"
	hintOverdue   = "the audio counts as lost: FreeSWITCH was stopped for seconds, or something else broke off all playbacks of the channel (uuid_break all)"
)

func hint(text string) zap.Field { return zap.String("hint", text) }

// ratelog marks a line that a bot or a broken switch can cause as often as it likes, for the daemon's log, which
// limits the lines of the same message and kind: of this call. Encoders ignore the field.
func (p *Player) ratelog(kind string) zap.Field {
	return zap.Field{Key: "ratelog", Type: zapcore.SkipType, String: kind + " " + p.cfg.Call}
}
