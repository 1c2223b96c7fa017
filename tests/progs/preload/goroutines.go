// Victim: Go's own scheduler, with calls through cgo, and threads that libc makes for it.
package main

// #include <unistd.h>
// static int blocks(void) { return usleep(2000) + 1; }
import "C"
import (
	"fmt"
	"sync"
)

func main() {
	var wg sync.WaitGroup
	var mu sync.Mutex
	sum := 0
	for i := 0; i < 50; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			n := int(C.blocks())
			mu.Lock()
			sum += n
			mu.Unlock()
		}()
	}
	wg.Wait()
	fmt.Println("sum:", sum)
}
