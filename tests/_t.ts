import { ALL_CONTEXTS, probe } from "./v8/_probe.ts";
for (const code of [[0xfe,0x10,2,0],[0xfe,0x1e,2,0],[0xfd,0x80,2],[0xfd,0x93,2],[0xfe,0,2,0], [0xfe,0x19,0,0], [0xfe,0x17,2,0]]) {
 try { new WebAssembly.Module(probe(ALL_CONTEXTS[0]!, code)); console.log(code,"ok"); } catch (e) { console.log(code, (e as Error).message); } }
