// A goroutine-per-connection server: 16 bytes in, 100 us of work, 16 bytes out.  Prints its port.
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

const steps = 80000

var mutex sync.Mutex
var served uint64

func serve(c net.Conn) {
	defer c.Close()
	var message [16]byte
	for {
		if _, err := io.ReadFull(c, message[:]); err != nil {
			return
		}
		x := binary.LittleEndian.Uint64(message[:])
		for i := 0; i < steps; i++ {
			x = x*6364136223846793005 + 1442695040888963407
		}
		binary.LittleEndian.PutUint64(message[8:], x)
		mutex.Lock()
		served++
		mutex.Unlock()
		if _, err := c.Write(message[:]); err != nil {
			return
		}
	}
}

func main() {
	fmt.Println("How fast and how late does a server of a goroutine a connection answer?")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println("port", l.Addr().(*net.TCPAddr).Port)
	for {
		c, err := l.Accept()
		if err != nil {
			panic(err)
		}
		go serve(c)
	}
}
