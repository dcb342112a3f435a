// A right server, for the tests of the grader: Go, a goroutine for each client.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func serve(client net.Conn) {
	defer client.Close()
	buffer := make([]byte, 8192)
	if _, err := client.Read(buffer); err == nil {
		client.Write([]byte("ack\n"))
	}
	client.(*net.TCPConn).CloseWrite()
	io.Copy(io.Discard, client)
}

func main() {
	port := flag.Int("port", 4242, "")
	flag.Parse()
	listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	go func() {
		<-terminate
		os.Exit(0)
	}()
	fmt.Println("listening on", listener.Addr())
	for {
		client, err := listener.Accept()
		if err != nil {
			time.Sleep(10 * time.Millisecond) // no descriptor, perhaps
			continue
		}
		go serve(client)
	}
}
