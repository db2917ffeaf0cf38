// The broker of aedes on a free port, to compare with.
import { type AddressInfo, createServer } from "node:net";
import { Aedes } from "aedes";

const aedes = await Aedes.createBroker();
const server = createServer(aedes.handle);
server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, () => {
  console.log(`listening on 127.0.0.1:${(server.address() as AddressInfo).port}`);
});
