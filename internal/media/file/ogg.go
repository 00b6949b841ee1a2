package file

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The parts of an Ogg page (RFC 3533 section 6).
const (
	oggHead        = 27   // bytes before the segment table
	oggContinued   = 0x01 // flags: begins within a packet
	oggFirst       = 0x02
	oggLast        = 0x04
	oggMaxSegments = 255
)

// maxOggPacket is the longest packet that is kept, in bytes: longer than any of
// Opus audio. Comments with a picture are longer, and skipped.
const maxOggPacket = 64 << 10

// ErrOgg is a damaged Ogg file.
var ErrOgg = errors.New("not an Ogg file that can be read")

// oggPage is one page. Its memory is used again by the next.
type oggPage struct {
	flags   byte
	granule int64 // -1 if no packet ends here
	serial  uint32
	number  uint32
	table   []byte // lengths of segments
	body    []byte
	buf     [oggHead + oggMaxSegments + oggMaxSegments*255]byte
}

// read reads the next page. It returns io.EOF at the end.
func (p *oggPage) read(in io.Reader) error {
	if _, err := io.ReadFull(in, p.buf[:oggHead]); err != nil {
		return io.EOF
	}
	head := p.buf[:oggHead]
	if string(head[:4]) != "OggS" || head[4] != 0 {
		return fmt.Errorf("file: no page: %w", ErrOgg)
	}
	p.flags, p.granule = head[5], int64(binary.LittleEndian.Uint64(head[6:]))
	p.serial, p.number = binary.LittleEndian.Uint32(head[14:]), binary.LittleEndian.Uint32(head[18:])
	sum := binary.LittleEndian.Uint32(head[22:])
	clear(head[22:26]) // it was made with zeros here
	body := oggHead + int(head[26])
	if _, err := io.ReadFull(in, p.buf[oggHead:body]); err != nil {
		return io.EOF
	}
	p.table = p.buf[oggHead:body]
	end := body
	for _, n := range p.table {
		end += int(n)
	}
	if _, err := io.ReadFull(in, p.buf[body:end]); err != nil {
		return io.EOF
	}
	p.body = p.buf[body:end]
	if oggSum(p.buf[:end]) != sum {
		return fmt.Errorf("file: checksum: %w", ErrOgg)
	}
	return nil
}

// oggReader reads the packets of the first stream of an Ogg file.
type oggReader struct {
	in     *bufio.Reader
	page   oggPage
	begun  bool
	serial uint32
	next   uint32 // number of the next page
	at     int    // segment
	body   int    // where it begins
	packet []byte
	whole  bool // packet has no gap so far
}

// read returns the next packet, valid until the next call, and io.EOF at the end.
func (o *oggReader) read() ([]byte, error) {
	o.packet = o.packet[:0]
	o.whole = true
	for {
		if !o.begun || o.at == len(o.page.table) {
			if err := o.turn(); err != nil {
				return nil, err
			}
		}
		for o.at < len(o.page.table) {
			n := int(o.page.table[o.at])
			if len(o.packet)+n <= maxOggPacket {
				o.packet = append(o.packet, o.page.body[o.body:o.body+n]...)
			}
			o.at++
			o.body += n
			if n == 255 {
				continue // it goes on
			}
			if o.whole {
				return o.packet, nil
			}
			o.packet, o.whole = o.packet[:0], true // the end of one whose begin was lost
		}
	}
}

// turn goes to the next page of the stream.
func (o *oggReader) turn() error {
	if o.begun && o.page.flags&oggLast != 0 {
		return io.EOF
	}
	for {
		if err := o.page.read(o.in); err != nil {
			return err
		}
		if !o.begun && o.page.flags&oggFirst == 0 {
			return fmt.Errorf("file: no first page: %w", ErrOgg)
		}
		if !o.begun || o.page.serial == o.serial {
			break // others are multiplexed with it
		}
	}
	continued := o.page.flags&oggContinued != 0
	if o.begun && (o.page.number != o.next || continued != (len(o.packet) > 0)) {
		o.packet, o.whole = o.packet[:0], !continued
	}
	o.begun, o.serial, o.next = true, o.page.serial, o.page.number+1
	o.at, o.body = 0, 0
	return nil
}

// appendOggPage appends a page of whole packets to dst. table are the lengths of
// its segments.
func appendOggPage(dst []byte, flags byte, granule int64, serial, number uint32, table, body []byte) []byte {
	begin := len(dst)
	dst = append(dst, "OggS\x00"...)
	dst = append(dst, flags)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(granule))
	dst = binary.LittleEndian.AppendUint32(dst, serial)
	dst = binary.LittleEndian.AppendUint32(dst, number)
	dst = append(dst, 0, 0, 0, 0, byte(len(table)))
	dst = append(dst, table...)
	dst = append(dst, body...)
	binary.LittleEndian.PutUint32(dst[begin+22:], oggSum(dst[begin:]))
	return dst
}

// appendSegments appends the lengths of the segments of a packet of n bytes.
func appendSegments(table []byte, n int) []byte {
	for ; n >= 255; n -= 255 {
		table = append(table, 255)
	}
	return append(table, byte(n))
}

// oggSum is the checksum of a page: CRC-32 with polynomial 0x04c11db7, without
// reflection, which hash/crc32 has not.
func oggSum(page []byte) uint32 {
	var sum uint32
	for _, b := range page {
		sum ^= uint32(b) << 24
		for range 8 {
			high := sum >> 31
			sum = sum<<1 ^ high*0x04c11db7
		}
	}
	return sum
}
