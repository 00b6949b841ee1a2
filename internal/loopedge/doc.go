// Package loopedge owns the legs by which a call of this node rings a number of this
// node. They come in pairs: one goes out of the call that rings, the other is offered
// as any incoming leg, and what either hears the other says. So the two calls stay two,
// each with its application, its events and its recordings.
package loopedge
