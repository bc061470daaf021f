//go:build go1.23

// The course's chat room in Go, batching as threadline does: beside it, a comparison with threadline is one of
// goroutines with threads, and not one of single messages with batches.
//
//	GO=go GO_ARTICLE=path/to/article.md cargo test --test originals -- --ignored build_originals
//	target/originals/batching_room 127.0.0.1:8000
//
// As in threadline, manager joins the messages that wait into one batch, waits up to a millisecond until the
// last batch is written, and sends the batch through the bounded C of every client. A client whose C is full is
// waited for, and kicked only if it does not read.
//
// With THREADS=1 in the environment every goroutine of a client has a thread to itself: what goroutines save, in
// the same program.
package main

import (
	"bytes"
	"fmt"
	"log"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	messagesWaiting = 128                   // for manager
	batchesWaiting  = 64                    // for one client
	fullBatch       = 16 * 1024             // bytes after which a batch takes no further message
	writeGrace      = time.Millisecond      // how long the next batch waits for the last one
	stalledAfter    = 20 * time.Millisecond // a write that takes longer waits for its client
	timeout         = 60 * time.Second      // a client that sends nothing for so long is kicked
	closeGrace      = time.Second           // how long a client that leaves may take to get what was said before
	largeRoom       = 2000                  // from so many clients on, those who spoke get the batch first
	longest         = 4096                  // bytes of a message
)

var threads = os.Getenv("THREADS") != ""

// lockThread gives the goroutine a thread to itself, if that is wanted.
func lockThread() {
	if threads {
		runtime.LockOSThread()
	}
}

// A client in the room.
type client struct {
	id         int
	addr, name string // the reader changes the name, under room.mutex
	conn       net.Conn
	c          chan *batch
	writeBegan atomic.Int64 // nanoseconds since the room opened; 0 while nothing is written
}

// A batch is messages joined, which all clients share.
type batch struct {
	bytes     []byte
	unwritten atomic.Int64
	written   chan struct{}
}

func newBatch(bytes []byte, readers int) *batch {
	b := &batch{bytes: bytes, written: make(chan struct{})}
	b.unwritten.Store(int64(readers) + 1)
	b.done()
	return b
}

// done is called once for every reader that has the batch behind it.
func (b *batch) done() {
	if b.unwritten.Add(-1) == 0 {
		close(b.written)
	}
}

// An event goes through the channel message.
type event struct {
	kind   kind
	client *client
	line   []byte
}

type kind int

const (
	login kind = iota
	said
	leave
)

// A room is what the goroutines share.
type room struct {
	opened  time.Time
	message chan event
	mutex   sync.Mutex
	online  map[int]*client
}

func line(addr, name string, text []byte) []byte {
	return fmt.Appendf(nil, "[%s]%s: %s", addr, name, text)
}

// handle is one client, from login to logout.
func (r *room) handle(conn net.Conn, id int) {
	lockThread()
	addr := conn.RemoteAddr().String()
	clnt := &client{id: id, addr: addr, name: addr, conn: conn, c: make(chan *batch, batchesWaiting)}
	r.mutex.Lock()
	r.online[id] = clnt
	r.mutex.Unlock()

	written := make(chan struct{})
	go func() {
		defer close(written)
		r.write(clnt)
	}()
	defer func() {
		select {
		case <-written:
		case <-time.After(closeGrace):
		}
		conn.Close()
	}()
	r.message <- event{login, clnt, line(addr, addr, []byte("login!!!"))}
	isQuit, hasData := make(chan bool), make(chan bool)
	left := make(chan struct{}) // closed when nobody receives from the two any more
	defer close(left)
	go r.read(clnt, isQuit, hasData, left)

	clock := time.NewTimer(timeout)
	defer clock.Stop()
	for {
		farewell := "logout"
		select {
		case <-hasData:
			clock.Reset(timeout)
			continue
		case <-isQuit:
		case <-clock.C:
			farewell = "time out leaved"
		}
		r.mutex.Lock()
		delete(r.online, id)
		name := clnt.name
		r.mutex.Unlock()
		r.message <- event{leave, clnt, line(addr, name, []byte(farewell))}
		return
	}
}

// read takes what the client sends, until it has gone.
func (r *room) read(clnt *client, isQuit, hasData chan<- bool, left <-chan struct{}) {
	lockThread()
	in := lines{conn: clnt.conn}
	var signalled time.Time
	for {
		text, err := in.next()
		if err != nil {
			select {
			case isQuit <- true:
				fmt.Printf("检测到客户端:%s退出!!!\n", clnt.name)
			case <-left:
			}
			return
		}
		name, renamed := bytes.CutPrefix(text, []byte("rename|"))
		switch {
		case string(text) == "who":
			clnt.conn.Write(r.who())
		case renamed:
			r.mutex.Lock()
			clnt.name = string(bytes.TrimSpace(name))
			r.mutex.Unlock()
			clnt.conn.Write([]byte("rename successful!!"))
		default:
			r.message <- event{said, clnt, line(clnt.addr, clnt.name, text)}
		}
		// At most a thousand times per timeout, as in threadline.
		if now := time.Now(); now.Sub(signalled) >= timeout/1000 {
			signalled = now
			select {
			case hasData <- true:
			case <-left:
				return
			}
		}
	}
}

func (r *room) who() []byte {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	list := []byte("online user list: \n")
	for _, clnt := range r.online {
		list = fmt.Appendf(list, "%s:%s\n", clnt.addr, clnt.name)
	}
	return list
}

// lines cuts what a client sends at newlines. Until it has sent the first one, each read is a message.
type lines struct {
	conn       net.Conn
	buf        [longest]byte
	start, end int
	newline    bool
}

func (l *lines) next() ([]byte, error) {
	for {
		rest := l.buf[l.start:l.end]
		if text, _, found := bytes.Cut(rest, []byte("\n")); found {
			l.newline = true
			l.start += len(text) + 1
			if text = bytes.TrimSuffix(text, []byte("\r")); len(text) > 0 {
				return text, nil
			}
			continue
		}
		if len(rest) == longest || len(rest) > 0 && !l.newline {
			l.start = l.end
			return rest, nil
		}
		l.start, l.end = 0, copy(l.buf[:], rest)
		n, err := l.conn.Read(l.buf[l.end:])
		if err != nil {
			return nil, err
		}
		l.end += n
	}
}

// write writes to one client what manager sends to it, until manager closes C.
func (r *room) write(clnt *client) {
	lockThread()
	for b := range clnt.c {
		clnt.writeBegan.Store(int64(time.Since(r.opened)))
		if _, err := clnt.conn.Write(b.bytes); err != nil {
			// Ends the reader too. The batches that follow fail at once.
			clnt.conn.Close()
		}
		clnt.writeBegan.Store(0)
		b.done()
	}
}

// fanOut is what manager has.
type fanOut struct {
	opened   time.Time
	clients  map[*client]int // where the next batch begins for it: it does not get what was said before its login
	speakers map[*client]bool
	joined   []byte
}

// manager sends every message to every client.
func (r *room) manager() {
	f := fanOut{opened: r.opened, clients: make(map[*client]int), speakers: make(map[*client]bool)}
	last := newBatch(nil, 0)
	grace := time.NewTimer(writeGrace)
	for msg := range r.message {
		grace.Reset(writeGrace)
		select {
		case <-last.written:
		case <-grace.C:
		}
		f.join(msg)
	waiting:
		for len(f.joined) < fullBatch {
			select {
			case msg = <-r.message:
				f.join(msg)
			default:
				break waiting
			}
		}
		last = f.sendAll()
	}
}

// join adds a message to those of the next batch.
func (f *fanOut) join(msg event) {
	clnt := msg.client
	from, here := f.clients[clnt]
	switch msg.kind {
	case login:
		f.clients[clnt] = len(f.joined)
	case said:
		if !here {
			return
		}
		if len(f.clients) >= largeRoom {
			f.speakers[clnt] = true
		}
	case leave:
		// It gets what was said before. If that takes it off the list already, C is closed.
		if here && f.send(clnt, newBatch(bytes.Clone(f.joined[from:]), 1)) {
			f.remove(clnt)
		}
	}
	f.joined = append(append(f.joined, msg.line...), "\r\n"...)
}

// sendAll sends the batch to every client, to those who spoke first.
func (f *fanOut) sendAll() *batch {
	all := newBatch(f.joined, len(f.clients))
	send := func(clnt *client, from int) {
		b := all
		if from > 0 {
			f.clients[clnt] = 0
			b = newBatch(all.bytes[from:], 1)
			all.done()
		}
		f.send(clnt, b)
	}
	for clnt := range f.speakers {
		if from, here := f.clients[clnt]; here {
			send(clnt, from)
		}
	}
	for clnt, from := range f.clients {
		if !f.speakers[clnt] {
			send(clnt, from)
		}
	}
	clear(f.speakers)
	f.joined = nil
	return all
}

// send sends a batch to one client, or kicks the client if it does not read.
func (f *fanOut) send(clnt *client, b *batch) bool {
	select {
	case clnt.c <- b:
		return true
	default:
	}
	for {
		began := clnt.writeBegan.Load()
		if began > 0 && time.Since(f.opened)-time.Duration(began) >= stalledAfter {
			log.Printf("%s kicked: it does not read", clnt.addr)
			clnt.conn.Close()
			f.remove(clnt)
			b.done()
			return false
		}
		select {
		case clnt.c <- b:
			return true
		case <-time.After(time.Millisecond):
		}
	}
}

func (f *fanOut) remove(clnt *client) {
	delete(f.clients, clnt)
	close(clnt.c)
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: batching_room HOST:PORT")
	}
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	log.Println("listening on", listener.Addr())
	r := &room{opened: time.Now(), message: make(chan event, messagesWaiting), online: make(map[int]*client)}
	go r.manager()
	for id := 0; ; id++ {
		conn, err := listener.Accept()
		if err != nil {
			log.Print(err)
			time.Sleep(time.Second)
			continue
		}
		go r.handle(conn, id)
	}
}
