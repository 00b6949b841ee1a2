// Package phone is a headless SIP phone: it registers, dials, answers, speaks
// a tone or a recording, and measures what it hears. It is the command `offhook
// phone`, the desk phones and the carrier of the demo, and the SIP party of
// tests.
//
// A Phone has any number of calls at a time. With a registration it is a user's
// phone; without, and with a known address, it is what a trunk leads to.
//
// Facts come as Event values through Config.Events, in order, one at a time; the
// function must not block and may call any method. All methods are safe for
// concurrent use and return at once, except Close.
package phone
