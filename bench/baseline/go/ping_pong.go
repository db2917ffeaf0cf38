// One goroutine asks, another answers.
// Reads lines with a count, answers each with nanoseconds: elapsed, median, 99th percentile.
package main

import (
	"bufio"
	"fmt"
	"os"
	"sort"
	"strconv"
	"time"
)

type small struct {
	id    int64
	name  string
	ok    bool
	score float64
}

func round(count int) []int64 {
	requests := make(chan small)
	replies := make(chan int64)
	go func() {
		for message := range requests {
			replies <- message.id
		}
	}()
	times := make([]int64, count)
	last := time.Now()
	for i := range times {
		requests <- small{7, "hello world", true, 1.5}
		<-replies
		now := time.Now()
		times[i] = now.Sub(last).Nanoseconds()
		last = now
	}
	close(requests)
	return times
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		count, err := strconv.Atoi(lines.Text())
		if err != nil {
			panic(err)
		}
		times := round(count)
		var elapsed int64
		for _, nanoseconds := range times {
			elapsed += nanoseconds
		}
		sort.Slice(times, func(a, b int) bool { return times[a] < times[b] })
		fmt.Println(elapsed, times[count/2], times[count*99/100])
	}
}
