import { startSystem } from "@mini-otp/runtime";
const actor=new URL("file:///work/main/test/dist/fixtures/ending.actor.js");
const M=Number(process.argv[2]);
for (let k=0;k<M;k++){
const s0 = await startSystem({ logger:false });
await Promise.all(Array.from({length:27},(_,i)=>s0.startChild({id:"y"+i,actor})));
if (process.argv[3]) await Promise.all(Array.from({length:9},(_,i)=>s0.child("y"+i).call("spin").catch(()=>{}) && s0.exit(s0.child("y"+i),"kill")));
await s0.stop();
}
const system = await startSystem({ logger:false, intensity: 1000 });
const t0=performance.now();
system.on("actor_exited", (e)=>console.log((performance.now()-t0).toFixed(0), e.id, e.reason.kind, e.reason.usedMb));
const refs=[];
for(let i=0;i<2;i++) refs.push(await system.startChild({id:"x"+i, actor, heapCapMb:16, restart:"temporary", handlerTimeoutMs: 5000}));
console.log((performance.now()-t0).toFixed(0),"go");
for (const r of refs) await r.call("hoard",40).catch(()=>{});
await system.stop();
