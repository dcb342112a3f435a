#!/usr/bin/env node
// A right server, for the tests of the grader: Node.js.
const server = require('net').createServer({ allowHalfOpen: true }, (client) => {
  client.once('data', () => client.end('ack\n'))
  client.on('data', () => {})
  client.on('end', () => client.end())
  client.on('error', () => client.destroy())
})
process.on('SIGTERM', () => process.exit(0))
server.listen(Number(process.argv[process.argv.indexOf('--port') + 1]), '127.0.0.1', () => {
  console.log(`listening on 127.0.0.1:${server.address().port}`)
})
