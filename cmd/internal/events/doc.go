// Package events is the bounded bus of what happens in calls: a call tells it, and whoever
// has subscribed is sent it.
//
// A [Bus] is the controller's Observer. It makes a CloudEvent of what it is told, once, keeps the
// latest ones for a subscriber that comes back, and hands them to each [Subscription], which has a
// bounded queue of its own: one that reads too slowly loses the oldest, and is told how many. What
// an Event looks like is in [Schema].
//
// The package starts no goroutine. It never waits for a subscriber, so that no call ever waits for
// the bus.
package events
