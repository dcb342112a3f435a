#!/usr/bin/env node
// A right echo, for the tests of the grader: Node.js.
const server = require('net').createServer({ allowHalfOpen: true }, (client) => {
  client.on('error', () => client.destroy())
  client.pipe(client)
})
process.on('SIGTERM', () => process.exit(0))
server.listen(Number(process.argv[process.argv.indexOf('--port') + 1]), '127.0.0.1', () => {
  console.log(`listening on 127.0.0.1:${server.address().port}`)
})
