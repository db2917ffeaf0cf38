// One goroutine sends, another counts; the clock stops when the last message has been received.
// Reads lines with a count, answers each with the nanoseconds it took.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"time"
)

// As many as a mailbox of ours holds.
const capacity = 1024

type record struct {
	a, b int64
}

type small struct {
	id    int64
	name  string
	ok    bool
	score float64
}

func oneWay[T any](message T, count int) time.Duration {
	channel := make(chan T, capacity)
	done := make(chan T)
	started := time.Now()
	go func() {
		var last T
		for i := 0; i < count; i++ {
			last = <-channel
		}
		done <- last
	}()
	go func() {
		for i := 0; i < count; i++ {
			channel <- message
		}
	}()
	<-done
	return time.Since(started)
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		count, err := strconv.Atoi(lines.Text())
		if err != nil {
			panic(err)
		}
		var elapsed time.Duration
		if os.Args[1] == "record" {
			elapsed = oneWay(record{7, 7}, count)
		} else {
			elapsed = oneWay(small{7, "hello world", true, 1.5}, count)
		}
		fmt.Println(elapsed.Nanoseconds())
	}
}
