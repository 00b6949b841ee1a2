// Package udp reads the UDP sockets of all media by one poller: those of phones,
// one pair each, and the one that all browsers share. One wake-up serves all packets
// that have come, whoever sent them (ADR 0011, 0026). Its system calls are not
// announced to the Go scheduler: they do not block, and announcing one wakes the
// runtime's monitor thread whenever the process was idle.
package udp
