//go:build go1.23

// The least that an upper-case server in Go can do: a goroutine per connection that reads, changes ASCII letters and
// writes. It is to the course's Go server what bare_echo.rs is to ours.
//
//	GO=go GO_ARTICLE=path/to/article.md cargo test --test originals -- --ignored build_originals
//	target/originals/bare_echo 127.0.0.1:9000
package main

import (
	"log"
	"net"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: bare_echo HOST:PORT")
	}
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go answer(conn)
	}
}

func answer(conn net.Conn) {
	defer conn.Close()
	var buf [4096]byte
	for {
		n, err := conn.Read(buf[:])
		if err != nil {
			return
		}
		for i, b := range buf[:n] {
			if 'a' <= b && b <= 'z' {
				buf[i] = b - 'a' + 'A'
			}
		}
		if _, err := conn.Write(buf[:n]); err != nil {
			return
		}
	}
}
