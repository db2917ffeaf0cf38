import { startSystem } from "@mini-otp/runtime";
import { writeFileSync } from "node:fs"; setInterval(()=>writeFileSync("/tmp/hb",String(Date.now())),100);
let n=0; const tEnd=performance.now()+60000;
async function one(k){
const system = await startSystem({ logger:false, intensity: 1000 });
const t0=performance.now();
const log=[]; for (const e of ["actor_started","actor_exited","actor_restarted","child_start_failed","supervisor_escalated","guard_killed","actor_zombie","dead_letter"]) system.on(e,(x)=>log.push(e+" "+(performance.now()-t0).toFixed(0)+" "+(x.reason?.kind??"")));
const r=await system.startChild({id:"x", actor:new URL("file:///work/main/test/dist/fixtures/counter.actor.js"), args:{start:10}});
let where="add";
const timer=setTimeout(()=>{console.log("HANG", k, n, where, JSON.stringify(system.tree()), log); },7000);
try {
await r.call("add",5); where="crash";
await (k%2? r.call("crash","x") : r.call("exit",0)).catch(()=>{}); where="inc";
await r.call("incarnation"); where="stop";
} catch(e){ console.log(k,n,where,e.code, performance.now()-t0); await new Promise(r=>setTimeout(r,15000)); console.log(JSON.stringify(system.tree()), log); process.exit() }
await system.stop({timeoutMs:200}); n++;
clearTimeout(timer);
}
await Promise.all([0,1,2,3].map(async(k)=>{ while(performance.now()<tEnd) await one(k); }));
console.log("done",n); process.exit();
