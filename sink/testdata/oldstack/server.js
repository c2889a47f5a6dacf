// The server of the old stack, in its way: the ws package, one raw file per
// stream named by the millisecond, every frame written as it comes. It is here
// to be measured against, on the same load. Needs the npm package ws.
const fs = require("fs");
const path = require("path");
const { WebSocketServer } = require("ws");

const folder = process.argv[2];
const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });

server.on("listening", () => console.log(server.address().port));

server.on("connection", (socket) => {
  const file = fs.createWriteStream(path.join(folder, `call-${Date.now()}.raw`), { flags: "a" });
  socket.on("message", (data, isBinary) => {
    if (isBinary) file.write(data);
  });
  socket.on("close", () => file.end());
  socket.on("error", () => file.end());
});

process.stdin.on("end", () => process.exit(0)).resume();
