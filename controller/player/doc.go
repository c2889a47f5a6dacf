// Package player has a caller hear audio that comes while the call goes on: a bot's voice, and the
// files that a plan plays.
//
// FreeSWITCH plays files, and nothing else that can be had without a module of our own. So the
// audio is cut into chunks, each of them a file that the channel's playback is given (see [Switch]).
// One chunk plays and the next one waits in the switch, so that there is no pause between them (F81);
// all else waits here, where it can be dropped. The first chunk is short, so that it is heard soon;
// the further ones are what has come meanwhile, up to a second, since a chunk costs the switch the same
// whatever its length. Nothing is played between utterances: there is no backlog that could grow. With a
// [Config.Lead], chunks of a bot that speaks in real time are longer, and so is the wait for the first.
//
// Audio goes one way: queued, cut, given to the switch, done. With [MethodStream], the chunk that was cut waits until
// mod_audio_stream has said which file it has made of it; with [MethodFiles], it is written here. What the
// switch does not find, since its stream has ended, goes back and is sent again. A position counts
// all that was queued since the beginning, so that a mark is one number: it is due once all before
// it is done. Clear begins a new generation, and what the switch says of an older one changes only
// what is known to have been heard.
//
// A [Player] starts no goroutine. Whoever has audio queues it with Play, Mark and Clear from any
// goroutine, and waits for nothing but a mutex that is never held while the switch, a disk or a callback
// works. The call's goroutine waits for Wake and Due and calls Advance then, which alone does something, and
// tells the player what the switch has said, by Named, Unnamed, Completed and Connected.
package player
