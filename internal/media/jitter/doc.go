// Package jitter evens out what a network does to a stream of voice packets: it
// puts them in order, decodes them, waits as long as the network's jitter asks
// for and not longer, fills what is lost, and follows a sender whose clock runs
// at another speed than ours.
//
// A Buffer is deterministic: it has no clock, no goroutine and no lock, and
// allocates nothing after New. Its owner serialises all calls and says what time
// it is; times only need to be on one clock, such as time.Now's.
//
// How long to wait follows from how late packets come (Arrival). A Buffer waits
// at once when more turns out to be needed, because a packet that is not there is
// concealed and played when it comes; it gets shorter again in pauses, where that
// costs nothing, else by leaving out a pitch period now and then, which one does
// not hear.
package jitter
