/** What each step of the tour prints. */
export const OUTPUT: Record<string, string> = {
  "01-counter": `
count: 155
messages: 11
`,
  "02-restart-types": `
permanent ended with normal: restarting
permanent ended with error: restarting
transient ended with normal: stopped
transient ended with error: restarting
temporary ended with normal: gone
temporary ended with error: gone
`,
  "03-one-for-all-pair": `
before: session 1 of incarnation 1
exited:  root/store error
exited:  root/writer shutdown
started: root/store 2
started: root/writer 2
after:  session 1 of incarnation 2
`,
  "04-escalation": `
root/inner/fragile exited: error
root/inner/fragile restarted
incarnation 2
root/inner/fragile exited: error
root/inner gives up because of fragile
root/inner exited: shutdown
root/inner restarted
incarnation 3
root/inner/fragile exited: error
root/inner/fragile restarted
root/inner/fragile exited: error
root/inner gives up because of fragile
root/inner exited: shutdown
root gives up because of inner
the system ended: shutdown
`,
  "05-dynamic-supervisor": `
refused: live ERR_MAX_CHILDREN
running: [ 'job-3', 'job-2', 'job-1' ]
root/jobs/job-1 desserts
root/jobs/job-2 reward
root/jobs/job-3 drawer
running: 0
`,
  "06-links-and-monitors": `
root/ada ended: error
root/bob ended: linked
eve was told: [ 'EXIT from root/ada: error' ]
kim was told: [ 'DOWN from root/ada: error', 'DOWN from root/bob: linked' ]
`,
  "07-persistent-counter": `
run 1: 4
run 2: 8
run 3: 12
`,
  "08-router": `
to 1
be 1
or 1
not 1
to 2
be 2
different words: 8
[
  'worker 3 running',
  'worker 2 running',
  'worker 1 running',
  'worker 0 running'
]
`,
  "09-pool": `
[ 4, 25, 168, 1229 ]
ERR_CALL_EXIT { kind: 'unresponsive', method: 'forever', afterMs: 1000 }
root/asker: 9592
{ completed: 5, failed: 1, threadsLost: 1, restarts: 0 }
`,
  "10-hot-upgrade": `
sold, -3 in all
refused: the till is short of 3
sold, 2 in all
root/till 1 -> 2
1000 sales
sold, 100400 cents in all, once version 1
restarts: 0
`,
  "11-streams": `
a prime: 1000003
a prime: 1000033
a prime: 1000037
at rest, although it has no end: true
and another: 1000039
streams open: 0
twins: [ '3+5', '5+7', '11+13', '17+19' ]
`,
  "12-native-code": `
frame 1 in a process of its own
the crash: { kind: 'crashed', signal: 'SIGSEGV', code: null }
frame 1 in the next one
the leak: off_heap_cap_exceeded
frame 1 in the third
`,
};
