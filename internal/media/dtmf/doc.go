// Package dtmf knows the keys of a telephone in the forms they travel in:
// telephone-events (RFC 4733) are received by Receiver and sent by Sender, tones
// in the voice (ITU-T Q.23, Q.24) are found by Detector and made by Tone. All are
// pure: who uses them says what came and takes what is to be sent.
package dtmf
