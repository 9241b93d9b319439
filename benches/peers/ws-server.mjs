// A push server with `ws`: gets trades as lines of `SYMBOL JSON` over TCP, and sends each to the clients that subscribed to the
// symbol. It speaks what the load client needs of Tapecast's stream protocol.
//
//     node ws-server.mjs PORT FEED_PORT
//
// No compression, as is its default, and no validation of UTF-8, as its documentation permits for trusted clients; a message is a
// Buffer, which no send encodes again. A client with more than 64 MiB to send is disconnected, as by nats-server.

import net from 'node:net'
import { WebSocketServer } from 'ws'

const [port, feedPort] = process.argv.slice(2).map(Number)
const TEXT = { binary: false, compress: false }
const MAX_BUFFERED = 64 * 1024 * 1024

/** @type {Map<string, Set<import('ws').WebSocket>>} */
const subscribers = new Map()
const all = new Set()

function subscribersOf(symbol) {
  const known = subscribers.get(symbol) ?? new Set()
  subscribers.set(symbol, known)
  return known
}

function send(client, message) {
  if (client.bufferedAmount > MAX_BUFFERED) client.terminate()
  else client.send(message, TEXT)
}

function publish(symbol, message) {
  for (const client of subscribersOf(symbol)) send(client, message)
  for (const client of all) send(client, message)
}

const server = new WebSocketServer({
  host: '127.0.0.1',
  port,
  backlog: 4096,
  perMessageDeflate: false,
  skipUTF8Validation: true,
})

server.on('connection', (client) => {
  const own = []
  client.on('message', (text) => {
    const { trades } = JSON.parse(text)
    for (const symbol of trades) {
      const list = symbol === '*' ? all : subscribersOf(symbol)
      list.add(client)
      own.push(list)
    }
    client.send('[{"T":"subscription"}]')
  })
  client.on('close', () => own.forEach((list) => list.delete(client)))
  client.on('error', () => client.terminate())
  client.send('[{"T":"success","msg":"connected"}]')
})

const SPACE = 0x20
const LINE_FEED = 0x0a

const feed = net.createServer((socket) => {
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    let start = 0
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      const space = bytes.indexOf(SPACE, start)
      publish(bytes.latin1Slice(start, space), bytes.subarray(space + 1, end))
      start = end + 1
    }
    rest = bytes.subarray(start)
  })
  socket.on('error', () => socket.destroy())
})
feed.listen(feedPort, '127.0.0.1')
